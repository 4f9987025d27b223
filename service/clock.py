"""The clock of the service."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present instant, timezone-aware."""


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def milliseconds(start: datetime, end: datetime) -> int:
    """Whole milliseconds from `start` to `end`; 0 when the clock went back meanwhile."""
    return max(0, int((end - start).total_seconds() * 1000))
