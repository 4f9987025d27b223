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
class MessageRule:
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
_RUNTIME = "runtime:duration_ms"

MESSAGES: dict[str, tuple[MessageRule, ...]] = {
    "celery.app.trace": (
        MessageRule("Task %(name)s[%(id)s] succeeded", "task-succeeded", (*_TASK, _RUNTIME)),
        MessageRule("Task %(name)s[%(id)s] retry", "task-retried", _TASK),
        MessageRule("Task %(name)s[%(id)s] %(exc)s", "task-rejected", _TASK),
        MessageRule("Task %(name)s[%(id)s] %(description)s", "task-failed", _TASK),
    ),
    "celery.worker.strategy": (
        MessageRule("Task %(name)s[%(id)s] received", "task-received", _TASK),
    ),
    "celery.worker.request": (
        MessageRule("Soft time limit", "task-soft-limit", (None, *_TASK_AT)),
        MessageRule("Hard time limit", "task-hard-limit", (None, *_TASK_AT)),
        MessageRule("Task %s[%s] succeeded before", "task-worker-lost", _TASK_AT),
    ),
    "celery.worker.consumer.consumer": (
        MessageRule("Received unregistered task", "task-unregistered"),
        MessageRule("Can't decode message", "message-undecodable"),
        MessageRule("Received and deleted unknown", "message-unknown"),
        MessageRule("Connection error", "broker-lost"),
        MessageRule("consumer: Cannot connect", "broker-unreachable"),
    ),
    "celery.worker.consumer.connection": (MessageRule("Connected to", "broker-connected"),),
    "celery.worker": (MessageRule("Unrecoverable error", "worker-failed"),),
    "celery.apps.worker": (MessageRule("%s ready.", "worker-ready"),),
    "celery.beat": (
        MessageRule("beat: Starting", "beat-started"),
        MessageRule("beat: Shutting down", "beat-stopped"),
        MessageRule("beat: Connection error", "broker-unreachable"),
        MessageRule("Scheduler: Sending due task", "task-due", (None, "task")),
    ),
    "celery.redirected": (MessageRule("", "text-printed"),),
    "multiprocessing": (MessageRule("Process %r pid:%r exited", "pool-process-lost"),),
    "uvicorn": (MessageRule("Exception in ASGI", "web-request-failed"),),
    "py.warnings": (MessageRule("", "python-warning"),),
}
"""What ops act upon, by logger. Every other message is `foreign-message`, with logger and level."""


class ReducedRecord(logging.LogRecord):
    """A log record whose message is a `Line`, from every logger."""

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
    """The line for a library's message: a code, and of its arguments what `MESSAGES` names."""
    rule = recognised(logger, template)
    event = rule.event if rule else FOREIGN
    fields: dict[str, object] = {**structlog.contextvars.get_contextvars(), "event": event}
    if event == FOREIGN and place:
        fields["where"] = _place(*place)
    fields |= _read(rule, arguments) if rule else {}
    return kept(fields | described(exc_info))


def recognised(logger: object, template: object) -> MessageRule | None:
    """The entry of `MESSAGES` for a message, looked up for the logger and then for its parents."""
    text = template if isinstance(template, str) else ""
    name = logger if isinstance(logger, str) else ""
    while name:
        for rule in MESSAGES.get(name, ()):
            if text.startswith(rule.beginning):
                return rule
        name = name.rpartition(".")[0]
    return None


def _read(rule: MessageRule, arguments: object) -> dict[str, object]:
    if isinstance(arguments, tuple) and len(arguments) == 1 and isinstance(arguments[0], Mapping):
        arguments = arguments[0]
    if isinstance(arguments, Mapping):
        named = [field.split(":") for field in rule.fields if field and ":" in field]
        found = {field: arguments.get(argument) for argument, field in named}
    elif isinstance(arguments, tuple):
        pairs = zip(rule.fields, arguments, strict=False)
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
