"""A log line: the allow-list at work, and the loggers whose calls go through it."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import structlog
from structlog.stdlib import BoundLogger
from structlog.typing import EventDict, Processor

from config.logs.failure import described
from config.logs.fields import Shown, declared

UNDECLARED_EVENT = "undeclared-event"


class Line(dict[str, Shown]):
    """Declared fields, checked. Nothing but this package makes one."""

    def __str__(self) -> str:
        event, *rest = [
            str(value) if name == "event" else f"{name}={value}" for name, value in self.items()
        ]
        return " ".join((event, *rest))


class _Counter:
    """How many fields the allow-list refused in this process, all threads together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.total = 0

    def add(self, count: int) -> None:
        with self._lock:
            self.total += count


_refused = _Counter()


def dropped() -> int:
    """How many fields were refused in this process so far."""
    return _refused.total


def kept(fields: Mapping[str, object]) -> Line:
    """The declared ones of `fields`, the event first; the rest is left out without a count."""
    shown = {name: declared(name, value) for name, value in fields.items()}
    event = shown.pop("event", None) or UNDECLARED_EVENT
    return Line({"event": event} | {name: item for name, item in shown.items() if item is not None})


def allowed(fields: Mapping[str, object]) -> Line:
    """`kept`, with the number of refused fields counted and shown as `dropped`.

    A field whose value is None is absent, not refused.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    line = kept(given)
    refused = len(given) - len(line) + (line["event"] == UNDECLARED_EVENT)
    if refused:
        _refused.add(refused)
        line["dropped"] = refused
    return line


def _with_failure(_logger: object, _method: str, fields: EventDict) -> EventDict:
    """Replace `exc_info` by what may be said of the exception."""
    failure = described(fields.pop("exc_info", None))
    return {**fields, **failure} if failure else fields


def _to_stdlib(_logger: object, _method: str, fields: EventDict) -> tuple[tuple[Line], EventDict]:
    return (allowed(fields),), {}


_PROCESSORS: list[Processor] = [
    structlog.stdlib.filter_by_level,
    structlog.contextvars.merge_contextvars,
    _with_failure,
    _to_stdlib,
]


def use_allow_list() -> None:
    """Send every structlog logger of the process through the allow-list."""
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


# In force from the first import on: a program that forgets `configure` leaks nothing either.
use_allow_list()


def get_logger(name: str | None = None) -> BoundLogger:
    """A logger whose fields are checked: `log.info("dossier-routed", procedure=1, number=2)`.

    Args:
        name: of the logger, normally `__name__`; None for the module that logs first.
    """
    return cast("BoundLogger", structlog.get_logger(*([name] if name else [])))


@contextmanager
def bound(**fields: Any) -> Iterator[None]:  # noqa: ANN401
    """Put `fields` on every line of the block, those of libraries included."""
    with structlog.contextvars.bound_contextvars(**fields):
        yield
