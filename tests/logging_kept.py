"""Logging put back as it was: the tests of one process share it."""

import contextlib
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import structlog


@contextlib.contextmanager
def logging_kept() -> Iterator[None]:
    """Put back whatever `configure` changes in the process."""
    root = logging.getLogger()
    factory, last, handlers, level = (
        logging.getLogRecordFactory(),
        logging.lastResort,
        root.handlers[:],
        root.level,
    )
    raises = logging.raiseExceptions
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        logging.setLogRecordFactory(factory)
        logging.lastResort = last
        logging.raiseExceptions = raises
        root.handlers[:] = handlers
        root.setLevel(level)
        sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = hooks
        structlog.contextvars.clear_contextvars()
