"""Working days and clocks of offices."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.office_days import (
    SUBDIVISIONS,
    is_working_day,
    next_opening,
    working_days_between,
    zone_of,
)
from routing.territory import departments

TIMES = (time(8, 30), time(14, 0))
DEPARTMENTS = [None, "75", "2A", "67", "57", "971", "972", "973", "974", "975", "976", "977", "978",
               "986", "987", "988"]  # fmt: skip
HOURS = st.integers(0, 15 * 366 * 24)
DAYS = HOURS.map(lambda hours: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("day", "department", "works"),
    [
        (date(2026, 7, 14), "75", False),
        (date(2026, 7, 14), "974", False),
        (date(2026, 12, 26), "67", False),
        (date(2025, 12, 26), "67", False),
        (date(2025, 12, 26), "75", True),
        (date(2026, 4, 3), "57", False),  # Good Friday, Alsace-Moselle
        (date(2026, 4, 3), "75", True),
        (date(2027, 12, 20), "974", False),  # abolition of slavery, La Réunion
        (date(2027, 12, 20), "75", True),
        (date(2027, 5, 27), "971", False),
        (date(2024, 2, 29), "75", True),
        (date(2022, 5, 1), "75", False),  # 1 May on a Sunday
        (date(2022, 5, 2), "75", True),
    ],
)
def test_holidays_are_those_of_the_place(day: date, department: str, works: bool) -> None:
    assert is_working_day(day, department) is works


def test_every_inhabited_place_overseas_is_among_those_of_these_tests() -> None:
    overseas = {code for code in departments() if code.startswith(("97", "98"))}
    # The southern lands and Clipperton have no office, and nobody who lives there.
    assert overseas - {"984", "989"} == {code for code in DEPARTMENTS if code and len(code) == 3}
    assert len({zone_of(code).key for code in overseas}) > 8


def test_every_subdivision_is_known_to_the_library() -> None:
    for department in SUBDIVISIONS:
        assert not is_working_day(date(2026, 7, 14), department)


@given(DAYS, st.sampled_from(DEPARTMENTS))
@settings(max_examples=60, deadline=None)
def test_the_next_opening_is_later_on_a_working_day_at_one_of_the_times(
    after: datetime, department: str | None
) -> None:
    found = next_opening(after, TIMES, department)
    local = found.astimezone(zone_of(department))

    assert after < found <= after + timedelta(days=6)
    assert is_working_day(local.date(), department)
    assert local.time() in TIMES
    assert next_opening(found - timedelta(seconds=1), TIMES, department) == found


@given(DAYS, st.sampled_from(DEPARTMENTS))
@settings(max_examples=40, deadline=None)
def test_no_time_of_a_working_day_is_passed_over(after: datetime, department: str | None) -> None:
    found = next_opening(after, TIMES, department)
    day = after.astimezone(zone_of(department)).date()
    while day <= found.astimezone(zone_of(department)).date():
        for each in TIMES:
            instant = datetime.combine(day, each, zone_of(department))
            between = after < instant.astimezone(UTC) < found
            assert not (between and is_working_day(day, department))
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("after", "opening"),
    [
        # The clock of Paris has no 02:30 on 29 March 2026, and two of them on 25 October.
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_change_of_the_clock_neither_skips_nor_doubles_a_time(
    after: datetime, opening: datetime
) -> None:
    found = next_opening(after, (time(2, 30),), "75", every_day=True)

    assert found == opening
    following = next_opening(found, (time(2, 30),), "75", every_day=True)
    assert timedelta(hours=22) < following - found < timedelta(hours=26)


def test_an_office_overseas_goes_by_its_own_clock() -> None:
    evening = datetime(2026, 11, 26, 16, 0, tzinfo=UTC)

    assert next_opening(evening, (time(8, 30),), "974") == datetime(2026, 11, 27, 4, 30, tzinfo=UTC)
    assert next_opening(evening, (time(14, 0),), "987") == datetime(2026, 11, 27, 0, 0, tzinfo=UTC)


def test_a_holiday_stops_the_clock() -> None:
    friday, tuesday = datetime(2026, 7, 10, 9, tzinfo=UTC), datetime(2026, 7, 14, 9, tzinfo=UTC)

    assert working_days_between(friday, tuesday, "75") == 1  # Monday: Tuesday is 14 July
    assert working_days_between(friday, friday, "75") == 0


def _changes(department: str | None) -> list[date]:
    """The days on which the clock of an office changes, in twelve years."""
    zone = zone_of(department)
    days = (date(2024, 1, 1) + timedelta(days=passed) for passed in range(12 * 366))
    return [
        day
        for day in days
        if datetime.combine(day, time(), zone).utcoffset()
        != datetime.combine(day + timedelta(days=1), time(), zone).utcoffset()
    ]


CHANGES = [(department, day) for department in DEPARTMENTS for day in _changes(department)]
QUARTERS = st.integers(0, 95).map(lambda at: time(at // 4, at % 4 * 15))


def test_clocks_change_in_metropolitan_france_and_on_saint_pierre_et_miquelon_alone() -> None:
    assert {department for department, _ in CHANGES} == {None, "75", "2A", "67", "57", "975"}


@given(st.sampled_from(CHANGES), QUARTERS, QUARTERS)
@settings(max_examples=100, deadline=None)
def test_each_time_of_a_day_on_which_the_clock_changes_comes_once(
    change: tuple[str | None, date], one: time, other: time
) -> None:
    department, day = change
    zone, times = zone_of(department), (one, other)
    begin = datetime.combine(day - timedelta(days=1), time(), zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=2), time(), zone).astimezone(UTC)

    found = [next_opening(begin - timedelta(seconds=1), times, department, every_day=True)]
    while (following := next_opening(found[-1], times, department, every_day=True)) < end:
        found.append(following)

    wanted = {
        datetime.combine(day + timedelta(days=passed), each, zone).astimezone(UTC)
        for passed in (-1, 0, 1)
        for each in times
    }
    assert found == sorted(wanted)


@given(st.sampled_from(DEPARTMENTS), st.integers(2020, 2060), QUARTERS)
@settings(max_examples=100, deadline=None)
def test_nobody_works_on_14_july_by_the_office_s_own_clock(
    department: str | None, year: int, at: time
) -> None:
    zone = zone_of(department)
    begin = datetime.combine(date(year, 7, 14), time(), zone)
    end = datetime.combine(date(year, 7, 15), time(), zone)

    opening = next_opening(begin.astimezone(UTC) - timedelta(seconds=1), (at,), department)

    assert opening >= end
    assert (
        working_days_between(begin - timedelta(minutes=1), end - timedelta(minutes=1), department)
        == 0
    )


@pytest.mark.parametrize("department", DEPARTMENTS)
@pytest.mark.parametrize("year", [2022, 2033, 2039, 2044])
def test_a_1_may_on_a_sunday_costs_no_other_day(department: str | None, year: int) -> None:
    assert date(year, 5, 1).weekday() == 6
    zone = zone_of(department)
    friday = datetime(year, 4, 29, 18, tzinfo=zone)

    opening = next_opening(friday, TIMES, department).astimezone(zone)

    assert (opening.date(), opening.time()) == (date(year, 5, 2), TIMES[0])
    assert working_days_between(friday, opening, department) == 1


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_29_february_is_a_day_like_its_neighbours(department: str | None) -> None:
    zone = zone_of(department)
    for day in (date(year, 2, 29) for year in range(2020, 2061, 4)):
        evening = datetime.combine(day - timedelta(days=1), time(20), zone)

        opening = next_opening(evening, TIMES, department, every_day=True).astimezone(zone)

        assert (opening.date(), opening.time()) == (day, TIMES[0])
        counted = working_days_between(evening, evening + timedelta(days=2), department)
        assert counted == sum(each.weekday() < 5 for each in (day, date(day.year, 3, 1))), day


@given(HOURS, st.integers(0, 2_000), st.integers(0, 2_000), st.sampled_from(DEPARTMENTS))
@settings(max_examples=60, deadline=None)
def test_working_days_add_up(begin: int, first: int, second: int, department: str | None) -> None:
    start = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=begin)
    middle, end = start + timedelta(hours=first), start + timedelta(hours=first + second)

    assert working_days_between(start, end, department) == (
        working_days_between(start, middle, department)
        + working_days_between(middle, end, department)
    )
