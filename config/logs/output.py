"""Where log lines go: one handler on the root logger, JSON for machines or columns for people."""

import contextlib
import io
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import TextIO

import orjson
from structlog.dev import ConsoleRenderer

from config.logs import hooks
from config.logs.fields import Shown
from config.logs.foreign import ReducedRecord, line_of, logger_name
from config.logs.line import use_allow_list

CHATTY = (
    *("celery.app.trace", "celery.worker.strategy", "celery.worker.request", "celery.beat"),
    "kombu.transport.virtual.base",
)
"""Loggers whose INFO is a line for each message that comes or goes."""

_STANDARD_ERROR = 2
_LOST = b'{"event":"log-line-lost","level":"error"}\n'
_LEVELS = ((50, "critical"), (40, "error"), (30, "warning"), (20, "info"))


def configure(
    *, json: bool, level: str, stream: TextIO | None = None, file: Path | None = None
) -> None:
    """Take over every log of this process. Can be called again.

    Args:
        json: one JSON object a line; otherwise aligned columns, coloured on a terminal.
        level: name of the lowest level that is written: `DEBUG`, `INFO`, `WARNING` or `ERROR`.
        stream: where to; the standard error stream when None.
        file: a file to append to instead, opened anew when it was moved away.
    """
    use_allow_list()
    logging.setLogRecordFactory(ReducedRecord)
    # What logging prints of a line that it could not write holds the exception being handled.
    logging.raiseExceptions = False
    handler = _handler(stream or _standard_error(), file)
    handler.setFormatter(LineFormatter(_as_json if json else _columns(handler)))
    _take_over(handler)
    logging.getLogger().setLevel(level)
    for name in CHATTY:
        # A line for each tick and each task would be most of what an idle service writes.
        logging.getLogger(name).setLevel(logging.WARNING if level == "INFO" else logging.NOTSET)
    hooks.install()


def _standard_error() -> TextIO:
    """The real one: a logging stream must not log its own writes, it would recurse."""
    usable = isinstance(sys.stderr, io.TextIOBase)
    return sys.stderr if usable else (sys.__stderr__ or sys.stderr)


def _handler(stream: TextIO, file: Path | None) -> logging.Handler:
    if file is not None:
        return _ToFile(file, encoding="utf-8")
    return _ToStream(stream)


class _TellsOfLoss(logging.Handler):
    """Says that a line could not be written, and nothing else of it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Write a constant to the standard error stream, past Python's buffers.

        A signal handler that logs while a line is being written gets here: its own line
        is the one that is lost.
        """
        with contextlib.suppress(OSError):
            os.write(_STANDARD_ERROR, _LOST)


class _ToStream(_TellsOfLoss, logging.StreamHandler[TextIO]):
    """Appends to an open stream."""


class _ToFile(_TellsOfLoss, WatchedFileHandler):
    """Appends to a file, opened anew when it was moved away."""


def _take_over(handler: logging.Handler) -> None:
    """Make `handler` the only way out, for loggers that exist and for those to come."""
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger) and not _is_silenced(logger):
            logger.handlers.clear()
            logger.propagate = True
    logging.getLogger().handlers[:] = [handler]
    # A logger that does not propagate and has no handler uses this one.
    logging.lastResort = handler


def _is_silenced(logger: logging.Logger) -> bool:
    """Whether `logger` was told to write nothing."""
    nulls = [isinstance(handler, logging.NullHandler) for handler in logger.handlers]
    return not logger.propagate and bool(nulls) and all(nulls)


class LineFormatter(logging.Formatter):
    """Writes the line of a record, completed by what the record itself tells.

    Args:
        render: makes one text of the fields, which it may change.
    """

    def __init__(self, render: Callable[[dict[str, Shown]], str]) -> None:
        super().__init__()
        self._render = render

    def format(self, record: logging.LogRecord) -> str:
        """One line of text, without its end."""
        return self._render({**_told(record), **line_of(record)})


def _told(record: logging.LogRecord) -> dict[str, Shown]:
    at = datetime.fromtimestamp(record.created, UTC)
    return {
        "timestamp": at.isoformat(timespec="milliseconds"),
        "level": _level(record.levelno),
        "logger": logger_name(record.name),
        "pid": record.process or 0,
    }


def _level(number: int) -> str:
    """The standard level at or below `number`: a level that a library defines may have any name."""
    return next((name for least, name in _LEVELS if number >= least), "debug")


def _as_json(fields: dict[str, Shown]) -> str:
    return orjson.dumps(fields).decode()


def _columns(handler: logging.Handler) -> Callable[[dict[str, Shown]], str]:
    terminal = isinstance(handler, logging.StreamHandler) and handler.stream.isatty()
    render = ConsoleRenderer(colors=terminal, sort_keys=False, pad_event_to=24)

    def columns(fields: dict[str, Shown]) -> str:
        # The renderer puts `exception` on lines of its own, as if it were a traceback.
        named = {"error" if name == "exception" else name: fields[name] for name in fields}
        return str(render(None, "", named))

    return columns
