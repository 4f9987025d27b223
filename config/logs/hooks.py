"""Exceptions that nobody caught, and Python's warnings, as log lines.

Python's own printing shows the message and lines of source. `faulthandler` is left as
the operator sets it: it shows names of files and functions, never a value.
"""

import logging
import resource
import sys
import threading
import warnings
from types import TracebackType

from config.logs.failure import installed_place, own_place, type_name
from config.logs.line import get_logger

log = get_logger(__name__)
warned = get_logger("py.warnings")


def install() -> None:
    """Take over the hooks of the interpreter; asyncio's handler logs, and so is covered."""
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable
    logging.captureWarnings(capture=True)
    warnings.showwarning = _warned
    _leave_no_core()


def _leave_no_core() -> None:
    """A core file is the whole memory: answers of TPS, and the token. Children inherit this."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        log.warning("program-interrupted")
    else:
        log.critical("uncaught-exception", exc_info=(kind, error, trace))


def _uncaught_in_thread(found: threading.ExceptHookArgs) -> None:
    if not issubclass(found.exc_type, SystemExit):
        error = (found.exc_type, found.exc_value, found.exc_traceback)
        log.critical("uncaught-exception-in-thread", exc_info=error)


def _unraisable(found: "sys.UnraisableHookArgs") -> None:
    error = (found.exc_type, found.exc_value, found.exc_traceback)
    log.error("unraisable-exception", exc_info=error)


def _warned(
    message: Warning | str,  # noqa: ARG001 - it can quote any value
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    where = own_place(filename, lineno) or installed_place(filename, lineno)
    warned.warning("python-warning", exception=type_name(category), where=where)
