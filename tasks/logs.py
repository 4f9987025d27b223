"""Celery's programs under the same logs: worker, pool processes, beat, Flower.

Celery's own formats, colours and redirection stay out of it, because a receiver of
`setup_logging` makes it leave logging alone.
"""

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from celery import signals
from celery.utils.log import LoggingProxy

from config.logs.output import configure

_tokens: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFormat:
    """How lines are written: see `configure`."""

    json: bool
    level: str


def connect_celery(form: Callable[[], LogFormat]) -> None:
    """Make Celery's programs log in `form`, and bind each task's name and id to its lines.

    To be called once, where the Celery app is made. Of the form's level and the program's
    own `--loglevel` the one that shows more counts; `--logfile` is honoured.

    Args:
        form: asked when a program starts, so that importing the app reads no setting.
    """

    def take_over(loglevel: int | None = None, logfile: str | None = None, **_: object) -> None:
        wanted = form()
        lowest = min(logging.getLevelName(wanted.level), loglevel or logging.CRITICAL)
        file = Path(logfile) if logfile else None
        configure(json=wanted.json, level=logging.getLevelName(lowest), file=file)

    signals.setup_logging.connect(take_over, weak=False, dispatch_uid="wif-logs")
    # Flower does not set Celery's logging up; it does import the app's modules.
    signals.import_modules.connect(take_over, weak=False, dispatch_uid="wif-logs")
    signals.celeryd_after_setup.connect(_log_what_is_printed, dispatch_uid="wif-logs")
    signals.beat_init.connect(_log_what_is_printed, dispatch_uid="wif-logs")
    signals.task_prerun.connect(_bind, dispatch_uid="wif-logs")
    signals.task_postrun.connect(_unbind, dispatch_uid="wif-logs")


def _log_what_is_printed(**_: object) -> None:
    """Log what a program prints, without its content: libraries print what they log.

    A stream that was replaced before is not replaced again.
    """
    proxy = LoggingProxy(logging.getLogger("celery.redirected"), logging.WARNING)
    if sys.stdout is sys.__stdout__:
        sys.stdout = proxy
    if sys.stderr is sys.__stderr__:
        sys.stderr = proxy


def _bind(task_id: str, task: Any, **_: object) -> None:  # noqa: ANN401
    delivery = task.request.delivery_info or {}
    _tokens[task_id] = structlog.contextvars.bind_contextvars(
        task=task.name, task_id=task_id, queue=delivery.get("routing_key")
    )


def _unbind(task_id: str, **_: object) -> None:
    if tokens := _tokens.pop(task_id, None):
        structlog.contextvars.reset_contextvars(**tokens)
