"""The declared fields of a log line: each name with the check that its value must pass.

A check gives back the value as it is shown, a plain `str`, `int` or list of `str`, or
None to refuse it. To log something new, declare it here; nothing else gets through.
"""

import re
from collections.abc import Callable, Iterator
from enum import Enum
from math import isfinite

OURS = (
    *("routing", "connectors", "store", "service", "tasks", "web", "simulator", "config", "cli"),
)
"""The packages whose enums are codes and whose frames are shown."""

Shown = str | int | list[str]
Check = Callable[[object], Shown | None]

LONGEST_EVENT = 48
LONGEST_LIST = 20
LARGEST_NUMBER = 99_999_999
"""No number that is shown has more than eight digits; phone, SIREN and SIRET numbers have."""


class Computed(str):
    """A text that this package made from names of the program itself: a class, a file."""

    __slots__ = ()


def computed(value: object) -> Shown | None:
    """Accept what this package made; a caller cannot fill such a field."""
    if type(value) is Computed:
        return str.__str__(value)
    if type(value) is tuple and all(type(item) is Computed for item in value):
        return [str.__str__(item) for item in value]
    return None


def integer(low: int, high: int) -> Check:
    """Accept whole numbers from `low` to `high`; True and False are none."""

    def check(value: object) -> int | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        plain = int.__add__(value, 0)
        return plain if low <= plain <= high else None

    return check


def rounded(low: int, high: int) -> Check:
    """Accept numbers, shown as whole ones from `low` to `high`."""
    whole = integer(low, high)

    def check(value: object) -> Shown | None:
        return whole(round(value) if type(value) is float and isfinite(value) else value)

    return check


def pattern(expression: str, longest: int) -> Check:
    """Accept texts of a form in which only codes are written."""
    form = re.compile(expression, re.ASCII)

    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return None
        plain = str.__str__(value)
        return plain if len(plain) <= longest and form.fullmatch(plain) else None

    return check


def one_of(*values: str) -> Check:
    """Accept a few words."""
    known = frozenset(values)

    def check(value: object) -> str | None:
        plain = str.__str__(value) if isinstance(value, str) else ""
        return plain if plain in known else None

    return check


def either(*checks: Check) -> Check:
    """Accept what one of `checks` accepts."""

    def check(value: object) -> Shown | None:
        return next((shown for one in checks if (shown := one(value)) is not None), None)

    return check


def _our_enums(parent: type[Enum] = Enum) -> Iterator[type[Enum]]:
    for child in parent.__subclasses__():
        if child.__module__.partition(".")[0] in OURS:
            yield child
        yield from _our_enums(child)


_codes: frozenset[str] = frozenset()


def code(value: object) -> str | None:
    """Accept the values of the enums of our own packages, and no other word.

    An enum may be imported at any time, so an unknown word is looked up anew.
    """
    global _codes  # noqa: PLW0603
    if not isinstance(value, str):
        return None
    plain = str.__str__(value)
    if plain not in _codes:
        _codes = frozenset(
            item.value for enum in _our_enums() for item in enum if isinstance(item.value, str)
        )
    return plain if plain in _codes else None


def codes(value: object) -> list[str] | None:
    """Accept a short tuple or list of codes."""
    if not isinstance(value, tuple | list) or len(value) > LONGEST_LIST:
        return None
    shown = [text for item in value if (text := code(item)) is not None]
    return shown if len(shown) == len(value) else None


_COUNT = integer(0, LARGEST_NUMBER)
_SLUG = pattern(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", 64)
_NUMBER = integer(1, LARGEST_NUMBER)

event = pattern(r"[a-z][a-z0-9]*(-[a-z0-9]+){0,6}", LONGEST_EVENT)
"""The form of an event's name. The name itself is written out in every call."""

FIELDS: dict[str, Check] = {
    "event": event,
    # who and where: filled in by this package alone
    "level": computed,
    "timestamp": computed,
    "logger": computed,
    "exception": computed,
    "chain": computed,
    "where": computed,
    "pid": integer(1, 2**22),
    "dropped": _COUNT,
    # the task
    "task": pattern(r"wif\.[a-z]+(-[a-z]+)*", 40),
    "task_id": pattern(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", 36),
    "queue": pattern(r"poll|route|upkeep|deliver(-[a-z]+)?", 24),
    # the dossier and what became of it
    "procedure": _NUMBER,
    "number": _NUMBER,
    "delivery": _NUMBER,
    "unit": pattern(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*", 32),
    "department": pattern(r"[0-9]{2,3}|2[AB]", 3),
    "permit_type": _SLUG,
    "rule": _SLUG,
    "ruleset": pattern(r"[0-9a-f]{64}", 64),
    "seal_key": pattern(r"[0-9a-f]{64}", 64),
    "channel": code,
    "state": code,
    "step": code,
    "action": code,
    "reason": code,
    "reasons": codes,
    "cause": code,
    "status": either(integer(100, 599), code),
    # how much, how long
    "attempt": integer(0, 10_000),
    "attempts": integer(0, 10_000),
    "count": _COUNT,
    "total": _COUNT,
    "new": _COUNT,
    "routed": _COUNT,
    "unrouted": _COUNT,
    "recorded": _COUNT,
    "quarantined": _COUNT,
    "sent": _COUNT,
    "retried": _COUNT,
    "dead": _COUNT,
    "page": _COUNT,
    "pages": _COUNT,
    "size": _COUNT,
    "duration_ms": rounded(0, LARGEST_NUMBER),
    "delay_s": rounded(0, LARGEST_NUMBER),
    # the program
    "setting": pattern(r"WIF_[A-Z]+(_[A-Z]+)*", 48),
    "version": pattern(r"[0-9]{1,3}(\.[0-9]{1,3}){1,3}", 15),
    "port": integer(0, 65_535),
    "signal": integer(1, 64),
}


def declared(name: object, value: object) -> Shown | None:
    """`value` as the field `name` shows it, None when the field or the value is not declared.

    Never raises: a value may be anything, even an object whose comparison fails.
    """
    check = FIELDS.get(name) if type(name) is str else None
    if check is None:
        return None
    try:
        return check(value)
    except Exception:  # noqa: BLE001 - whatever a foreign object does, it is not shown
        return None
