"""The working days and the clock of an office: public holidays and time zone of its département."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from routing.calendar import PARIS

SUBDIVISIONS: Mapping[str, str] = {
    "57": "57",
    "67": "6AE",
    "68": "6AE",
    **{code: code for code in ("971", "972", "973", "974", "976")},
    "975": "PM",
    "977": "BL",
    "978": "MF",
    "986": "WF",
    "987": "PF",
    "988": "NC",
}
"""Where more days are holidays than everywhere in France, in the codes of `holidays`."""

_ZONES: Mapping[str, str] = {
    "971": "America/Guadeloupe",
    "972": "America/Martinique",
    "973": "America/Cayenne",
    "974": "Indian/Reunion",
    "975": "America/Miquelon",
    "976": "Indian/Mayotte",
    "977": "America/St_Barthelemy",
    "978": "America/Marigot",
    "986": "Pacific/Wallis",
    "987": "Pacific/Tahiti",
    "988": "Pacific/Noumea",
}

_SATURDAY = 5


def zone_of(department: str | None) -> ZoneInfo:
    """The clock of a département; that of Paris when it is None or metropolitan."""
    name = _ZONES.get(department or "")
    return ZoneInfo(name) if name else PARIS


def is_working_day(day: date, department: str | None) -> bool:
    """Whether the offices of a département are open on `day`.

    Args:
        day: by the clock of the office.
        department: its code; None counts the holidays of all France alone.
    """
    return day.weekday() < _SATURDAY and day not in _holidays(
        SUBDIVISIONS.get(department or ""), day.year
    )


def working_days_between(start: datetime, end: datetime, department: str | None) -> int:
    """Working days after the day of `start` up to the day of `end`, by the clock of the office."""
    zone = zone_of(department)
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    days = (first + timedelta(days=passed) for passed in range(1, (last - first).days + 1))
    return sum(is_working_day(day, department) for day in days)


def next_opening(
    after: datetime, times: tuple[time, ...], department: str | None, *, every_day: bool = False
) -> datetime:
    """The first instant after `after` at which the clock of an office shows one of `times`.

    A time that a clock change leaves out is taken when the clock would have shown it; one that
    comes twice is taken the first time.

    Args:
        after: timezone-aware.
        times: of the day, naive, at least one.
        department: of the office.
        every_day: also on week-ends and public holidays.

    Returns:
        An instant in UTC.
    """
    zone = zone_of(department)
    day = after.astimezone(zone).date()
    while True:
        if every_day or is_working_day(day, department):
            instants = (datetime.combine(day, each, zone).astimezone(UTC) for each in times)
            later = sorted(instant for instant in instants if instant > after)
            if later:
                return later[0]
        day += timedelta(days=1)


@cache
def _holidays(place: str | None, year: int) -> frozenset[date]:
    from holidays import country_holidays  # noqa: PLC0415 - slow, and few commands need it

    return frozenset(country_holidays("FR", subdiv=place, years=year))
