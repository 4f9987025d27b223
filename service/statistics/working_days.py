"""Working days from deposit to decision: neither week-ends nor the public holidays of a place."""

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache

from routing.calendar import paris_day
from routing.office_days import SUBDIVISIONS

LONGEST = 60
"""Durations from here on are counted together: three months, far beyond the target."""

TARGET = 5
"""Working days within which an office means to decide."""

_SATURDAY = 5
_HOUR = 3600


def working_days(filed: date, decided: date, department: str | None) -> int:
    """Working days after the day of deposit up to the day of decision, at most `LONGEST`.

    Decided on the day of deposit, or on the week-end after it, is 0.

    Args:
        filed: day of deposit (Europe/Paris).
        decided: day of decision (Europe/Paris).
        department: code of the département, whose holidays count; None for those of all.
    """
    return _between(filed, decided, SUBDIVISIONS.get(department or ""))


@lru_cache(maxsize=100_000)
def _between(filed: date, decided: date, place: str | None) -> int:
    # At most every other day is free, even where holidays and week-ends meet.
    if decided - filed > timedelta(days=2 * LONGEST):
        return LONGEST
    passed = _since_new_year(decided, place) - _since_new_year(filed, place)
    years = range(filed.year, decided.year)
    return max(0, min(LONGEST, passed + sum(_year(place, year)[-1] for year in years)))


def day_in_paris(instant: datetime) -> date:
    """The day in Paris of an instant."""
    return _day_of_hour(int(instant.timestamp()) // _HOUR)


@lru_cache(maxsize=50_000)
def _day_of_hour(hours: int) -> date:
    """The day of an hour since 1970: the clocks of Paris differ from UTC by whole hours."""
    return paris_day(datetime.fromtimestamp(hours * _HOUR, UTC))


def _since_new_year(day: date, place: str | None) -> int:
    return _year(place, day.year)[day.timetuple().tm_yday - 1]


@cache
def _year(place: str | None, year: int) -> tuple[int, ...]:
    """For each day of a year, how many working days there were up to it."""
    from holidays import country_holidays  # noqa: PLC0415 - slow, and few commands need it

    free = country_holidays("FR", subdiv=place, years=year)
    counts: list[int] = []
    day, worked = date(year, 1, 1), 0
    while day.year == year:
        worked += day.weekday() < _SATURDAY and day not in free
        counts.append(worked)
        day += timedelta(days=1)
    return tuple(counts)
