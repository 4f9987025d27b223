"""How long a peer asks to wait."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_RETRY_AFTER = 24 * 3600.0
"""Seconds of a peer's `Retry-After` that are believed: a slip of its clock must not silence us."""


def seconds_to_wait(retry_after: str | None, now: datetime) -> float | None:
    """The seconds that a `Retry-After` header asks for, None when it asks for nothing.

    Args:
        retry_after: the header's value, in seconds or as a date; None when it is absent.
        now: the present instant, from which a date is counted.
    """
    value = (retry_after or "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER)
