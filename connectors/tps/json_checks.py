"""Small readers of parsed JSON that check what the protocol promises.

What they raise names the promise and nothing else; it never leaves the connector.
"""

from typing import TypeGuard

from connectors.tps.errors import MalformedReason
from routing.facts import LARGEST_NUMBER

UNFORESEEN_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What code raises when it meets an unforeseen value."""


class MalformedJson(Exception):
    """An answer broke a promise of the protocol."""

    def __init__(self, reason: MalformedReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a parsed value is a JSON object."""
    return isinstance(value, dict)


def an_object(value: object, reason: MalformedReason) -> dict[str, object]:
    """`value` as a JSON object.

    Raises:
        MalformedJson: with `reason`, when it is anything else.
    """
    if not is_object(value):
        raise MalformedJson(reason)
    return value


def a_list(value: object, reason: MalformedReason) -> list[object]:
    """`value` as a JSON list.

    Raises:
        MalformedJson: with `reason`, when it is anything else.
    """
    if not isinstance(value, list):
        raise MalformedJson(reason)
    return value


def whole_number(value: object) -> int | None:
    """`value` as a positive whole number that can be stored, None when it is none.

    `true` is a number to Python, and is none here.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= LARGEST_NUMBER else None
