"""The clock of the service, and the calendar by which offices live."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")

Clock = Callable[[], datetime]
"""Gives the present instant, timezone-aware."""


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def paris_day(instant: datetime) -> date:
    """The day of `instant` in France."""
    return instant.astimezone(PARIS).date()
