"""What an HTTP status means, and how long a peer asks to wait."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from routing.failures import Cause

LONGEST_WAIT = 24 * 3600.0
"""Seconds of a peer's `Retry-After` that are believed: a slip of its clock must not silence us."""

_CAUSES: dict[int, Cause] = {
    HTTPStatus.UNAUTHORIZED: Cause.TPS_UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: Cause.TPS_FORBIDDEN,
    HTTPStatus.NOT_FOUND: Cause.TPS_NOT_FOUND,
    HTTPStatus.GONE: Cause.TPS_NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT: Cause.TPS_UNAVAILABLE,
    HTTPStatus.TOO_EARLY: Cause.TPS_UNAVAILABLE,
    HTTPStatus.TOO_MANY_REQUESTS: Cause.TPS_THROTTLED,
}

_CLASSES = {3: Cause.TPS_REDIRECTED, 5: Cause.TPS_UNAVAILABLE}


def cause_of(status: int) -> Cause | None:
    """Why an answer with `status` is of no use; None for 200, the only one that is."""
    if status == HTTPStatus.OK:
        return None
    return _CAUSES.get(status) or _CLASSES.get(status // 100, Cause.TPS_REJECTED)


def seconds_to_wait(retry_after: str | None, now: datetime) -> float | None:
    """The seconds that a `Retry-After` header asks for, None when it asks for nothing.

    Args:
        retry_after: the header's value, in seconds or as a date; None when it is absent.
        now: the present instant, from which a date is counted.
    """
    value = (retry_after or "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), LONGEST_WAIT)
