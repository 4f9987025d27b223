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
