"""Log records of libraries, reduced to a code when they are made.

Reducing at the making, not at the printing, covers the handlers that a library brings
along as well. A message is recognised by the constant beginning of its template, never
by its formatted text, and of its arguments only those named here are looked at.
"""

import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from config.logs.failure import described, installed_place, own_place
from config.logs.fields import Computed
from config.logs.line import Line, kept

FOREIGN = "foreign-message"
_MADE_NAMES = frozenset({"celery.pool", "celery.redirected", "celery.task", "py.warnings", "root"})
"""Names of loggers that are not names of modules."""


@dataclass(frozen=True, slots=True)
class Known:
    """A message of a library that has a code of ours.

    Attributes:
        beginning: how its template begins; empty for every message of the logger.
        event: our code for it.
        fields: of positional arguments, the field that each fills, None for not looked at;
            of a mapping, pairs `argument:field`.
    """

    beginning: str
    event: str
    fields: tuple[str | None, ...] = ()


_TASK = ("name:task", "id:task_id")
_TASK_AT = ("task", "task_id")

KNOWN: dict[str, tuple[Known, ...]] = {
    "celery.app.trace": (
        Known("Task %(name)s[%(id)s] succeeded", "task-succeeded", (*_TASK, "runtime:duration_ms")),
        Known("Task %(name)s[%(id)s] retry", "task-retried", _TASK),
        Known("Task %(name)s[%(id)s] %(description)s:", "task-failed", _TASK),
        Known("Task %(name)s[%(id)s] %(description)s", "task-ignored", _TASK),
        Known("Task %(name)s[%(id)s] %(exc)s", "task-rejected", _TASK),
        Known("Process cleanup failed", "task-cleanup-failed"),
    ),
    "celery.worker.strategy": (Known("Task %(name)s[%(id)s] received", "task-received", _TASK),),
    "celery.worker.request": (
        Known("Task accepted", "task-accepted", _TASK_AT),
        Known("Discarding revoked task", "task-revoked", _TASK_AT),
        Known("Soft time limit", "task-soft-limit", (None, *_TASK_AT)),
        Known("Hard time limit", "task-hard-limit", (None, *_TASK_AT)),
        Known("Task %s[%s] succeeded before", "task-worker-lost", _TASK_AT),
        Known("Task handler raised", "task-handler-failed"),
    ),
    "celery.worker.consumer.consumer": (
        Known("Received unregistered task", "task-unregistered"),
        Known("Received invalid task", "task-invalid"),
        Known("Can't decode message", "message-undecodable"),
        Known("Received and deleted unknown", "message-unknown"),
        Known("%s (%r)", "broker-lost"),
        Known("Connection error", "broker-lost"),
        Known("consumer: Cannot connect", "broker-unreachable"),
        Known("Started consuming", "queue-joined", ("queue",)),
        Known("Canceling queue", "queue-left", ("queue",)),
    ),
    "celery.worker.consumer.connection": (Known("Connected to", "broker-connected"),),
    "celery.worker": (Known("Unrecoverable error", "worker-failed"),),
    "celery.worker.pidbox": (
        Known("Control command error", "control-failed"),
        Known("No such control command", "control-unknown"),
    ),
    "celery.apps.worker": (Known("%s ready.", "worker-ready"),),
    "celery.beat": (
        Known("beat raised", "beat-failed"),
        Known("beat: Starting", "beat-started"),
        Known("beat: Shutting down", "beat-stopped"),
        Known("Scheduler: Sending due task", "task-due", (None, "task")),
        Known("%s sent. id->", "task-sent", _TASK_AT),
        Known("%s sent.", "task-sent", ("task",)),
        Known("Message Error", "task-unsent"),
        Known("beat: Connection error", "broker-unreachable"),
    ),
    "celery.redirected": (Known("", "text-printed"),),
    "multiprocessing": (
        Known("Process %r pid:%r exited", "pool-process-lost"),
        Known("Process %s", "pool-process-failed"),
        Known("Pool process %r error", "pool-process-failed"),
        Known("Pool callback raised", "pool-callback-failed"),
        Known("Thread %r crashed", "pool-thread-failed"),
    ),
    "urllib3.connectionpool": (
        Known("%s://%s:%s", "http-request", (*[None] * 6, "status")),
        Known("Starting new HTTP", "http-connection-opened"),
        Known("Resetting dropped", "http-connection-dropped"),
        Known("Retrying (%r)", "http-retry"),
        Known("Connection pool is full", "http-pool-full"),
    ),
    "sqlalchemy.engine": (Known("", "sql-statement"),),
    "sqlalchemy.pool": (Known("", "database-pool"),),
    "alembic.runtime.migration": (Known("Running ", "migration-started"),),
    "tornado.access": (Known("%d %s", "http-served", ("status",)),),
    "asyncio": (
        Known("Task exception was never", "asyncio-task-failed"),
        Known("Exception in callback", "asyncio-callback-failed"),
        Known("Unclosed", "asyncio-unclosed"),
    ),
    "py.warnings": (Known("", "python-warning"),),
}


class ReducedRecord(logging.LogRecord):
    """A log record whose message is a `Line`, whoever asked for it."""

    def __init__(
        self,
        name: str,
        level: int,
        pathname: str,
        lineno: int,
        msg: object,
        args: Any,  # noqa: ANN401
        exc_info: Any,  # noqa: ANN401
        func: str | None = None,
        sinfo: str | None = None,
        **_others: object,
    ) -> None:
        if type(msg) is not Line:
            place = (pathname, lineno) if pathname else None
            msg = reduced(name, msg, args, exc_info, place)
        super().__init__(name, level, pathname, lineno, msg, (), None, func)


def line_of(record: logging.LogRecord) -> Line:
    """The line of a record, also of one that was not made by `ReducedRecord`."""
    if type(record.msg) is Line:
        return record.msg
    place = (record.pathname, record.lineno)
    return reduced(record.name, record.msg, record.args, record.exc_info, place)


def reduced(
    logger: object,
    template: object,
    arguments: object,
    exc_info: object,
    place: tuple[str, int] | None = None,
) -> Line:
    """The line for a library's message: a code, and of its arguments what `KNOWN` names."""
    known = recognised(logger, template)
    event = known.event if known else FOREIGN
    fields: dict[str, object] = {**structlog.contextvars.get_contextvars(), "event": event}
    if event == FOREIGN and place:
        fields["where"] = _place(*place)
    fields |= _read(known, arguments) if known else {}
    return kept(fields | described(exc_info))


def recognised(logger: object, template: object) -> Known | None:
    """The entry of `KNOWN` for a message, looked up for the logger and then for its parents."""
    text = template if isinstance(template, str) else ""
    name = logger if isinstance(logger, str) else ""
    while name:
        for known in KNOWN.get(name, ()):
            if text.startswith(known.beginning):
                return known
        name = name.rpartition(".")[0]
    return None


def _read(known: Known, arguments: object) -> dict[str, object]:
    if isinstance(arguments, tuple) and len(arguments) == 1 and isinstance(arguments[0], Mapping):
        arguments = arguments[0]
    if isinstance(arguments, Mapping):
        named = [field.split(":") for field in known.fields if field and ":" in field]
        found = {field: arguments.get(argument) for argument, field in named}
    elif isinstance(arguments, tuple):
        pairs = zip(known.fields, arguments, strict=False)
        found = {field: value for field, value in pairs if field}
    else:
        return {}
    seconds = found.get("duration_ms")
    return found | ({"duration_ms": seconds * 1000} if isinstance(seconds, float) else {})


def _place(path: str, line: int) -> Computed | None:
    return own_place(path, line) or installed_place(path, line)


def logger_name(name: object) -> Computed:
    """A logger's name as far as it is the name of a loaded module; a name can hold any text."""
    text = name if isinstance(name, str) else ""
    while text not in _MADE_NAMES and text and text not in sys.modules:
        text = text.rpartition(".")[0]
    return Computed(text or "other")
