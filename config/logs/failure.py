"""What a log line says of an exception: its type, our code for its cause, the lines of our code.

Never its message, its arguments, its locals, or a line of source.
"""

import re
import sys
from collections.abc import Iterator
from enum import Enum
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

from config.logs.fields import OURS, Computed

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST_CHAIN = 5
MOST_FRAMES = 8
_INSTALLED = re.compile(r".*/(?:site-packages|python3\.[0-9]+)/(?P<path>[\w./-]+\.py)", re.ASCII)
_OWN = re.compile(r"[\w/-]+\.py", re.ASCII)


def described(exc_info: object) -> dict[str, object]:
    """The fields `exception`, `chain`, `where`, `cause` and `status` of an exception.

    Args:
        exc_info: an exception, the triple of `sys.exc_info()`, or something true for the
            exception that is being handled; anything else gives no field.
    """
    error, trace = _given(exc_info)
    if error is None:
        return {}
    chain = list(islice(_chain(error), LONGEST_CHAIN))
    names = tuple(_name(each) for each in chain)
    fields: dict[str, object] = {"exception": names[0]}
    if len(names) > 1:
        fields["chain"] = names[1:]
    if where := places(trace or error.__traceback__):
        fields["where"] = where
    return fields | _codes(chain)


def _given(exc_info: object) -> tuple[BaseException | None, Any]:
    if isinstance(exc_info, BaseException):
        return _unwrapped(exc_info), None
    if isinstance(exc_info, tuple):
        _, error, trace = exc_info if len(exc_info) == 3 else (None, None, None)  # noqa: PLR2004
        return (_unwrapped(error), trace) if isinstance(error, BaseException) else (None, None)
    return (sys.exception(), None) if exc_info else (None, None)


def _unwrapped(error: BaseException) -> BaseException:
    """The exception itself, without what carries it out of a pool process."""
    inner = vars(error).get("exc")
    return inner if isinstance(inner, BaseException) else error


def _name(error: BaseException) -> Computed:
    # Celery wraps what cannot be pickled, and keeps the names of its class.
    module, name = vars(error).get("exc_module"), vars(error).get("exc_cls_name")
    return _loaded(module, name) or type_name(type(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and what led to it, each once: causes, contexts, members of groups."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        members = each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        waiting += [one for one in (each.__cause__, each.__context__, *members) if one is not None]


def type_name(kind: type) -> Computed:
    """The name of a class, or of the nearest base, that stands in a loaded module.

    A class that was made while running may bear any text as its name.
    """
    names = (_loaded(each.__module__, each.__qualname__) for each in kind.__mro__)
    return next(name for name in names if name)


def _loaded(module: object, name: object) -> Computed | None:
    """The full name of a class, None when no loaded module has it."""
    if not (isinstance(module, str) and isinstance(name, str)):
        return None
    found: object = sys.modules.get(module)
    for part in name.split("."):
        found = vars(found).get(part) if hasattr(found, "__dict__") else None
    if not isinstance(found, type):
        return None
    return Computed(name if module == "builtins" else f"{module}.{name}")


def places(trace: TracebackType | None) -> tuple[Computed, ...]:
    """`file:line` of the frames of our own code, the innermost last; else the innermost frame."""
    frames = list(_frames(trace))
    own = [place for path, line in frames if (place := own_place(path, line))]
    if not own and frames:
        innermost = installed_place(*frames[-1])
        return (innermost,) if innermost else ()
    return tuple(own[-MOST_FRAMES:])


def _frames(trace: Any) -> Iterator[tuple[str, int]]:  # noqa: ANN401
    # A worker process hands its tracebacks over as look-alikes of the real ones.
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next


def own_place(path: str, line: int) -> Computed | None:
    """`path` below our own packages and `line`, None for a file of a library."""
    try:
        relative = Path(path).relative_to(ROOT)
    except ValueError:
        return None
    ours = relative.parts[0] in OURS or relative.name == "celeryconfig.py"
    return Computed(f"{relative}:{line}") if ours and _OWN.fullmatch(str(relative)) else None


def installed_place(path: str, line: int) -> Computed | None:
    """`path` below the folder of installed packages and `line`, None when it lies elsewhere."""
    found = _INSTALLED.fullmatch(path)
    return Computed(f"{found['path']}:{line}") if found else None


def _codes(chain: list[BaseException]) -> dict[str, object]:
    """Our own code and the peer's number, of the first exception that carries a code."""
    for error in chain:
        cause = vars(error).get("cause")
        if isinstance(cause, Enum):
            status = vars(error).get("status")
            return {"cause": cause.value} | ({} if status is None else {"status": status})
    return {}
