"""The calendar of offices in France: days begin and end by the clock of Paris."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def paris_day(instant: datetime) -> date:
    """The day of `instant` in France."""
    return instant.astimezone(PARIS).date()
