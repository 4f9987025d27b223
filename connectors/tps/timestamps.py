"""Instants as TPS writes them: ISO 8601, in UTC or with the offset of Paris."""

from datetime import UTC, datetime

_YEARS = range(2000, 2200)
"""Other years are slips of a keyboard or a clock, and the ends of the calendar break arithmetic."""


def parse_timestamp(value: object) -> datetime | None:
    """The instant that `value` names, in UTC; None when it names none (`2018-09-013`).

    A time without an offset is no instant.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if moment.tzinfo is None or moment.year not in _YEARS:
        return None
    return moment.astimezone(UTC)
