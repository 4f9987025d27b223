"""Working days from deposit to decision."""

from datetime import UTC, date, datetime

import pytest

from service.statistics.working_days import LONGEST, day_in_paris, working_days

FRIDAY, SATURDAY, MONDAY = date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 2)


@pytest.mark.parametrize(
    ("filed", "decided", "department", "days"),
    [
        (FRIDAY, FRIDAY, "75", 0),
        (FRIDAY, SATURDAY, "75", 0),
        (FRIDAY, MONDAY, "75", 1),
        (SATURDAY, MONDAY, "75", 1),
        (date(2026, 11, 10), date(2026, 11, 12), "75", 1),  # 11 November
        (date(2026, 12, 24), date(2026, 12, 28), "75", 1),  # Christmas
        (date(2026, 4, 2), date(2026, 4, 7), "75", 2),  # Easter Monday
        (date(2026, 4, 2), date(2026, 4, 7), "67", 1),  # and Good Friday, in Alsace
        (date(2026, 12, 17), date(2026, 12, 21), "974", 2),
        (date(2027, 12, 17), date(2027, 12, 21), "974", 1),  # abolition, on La Réunion
        (date(2026, 12, 31), date(2027, 1, 4), "75", 1),
        (date(2026, 1, 5), date(2027, 1, 5), None, LONGEST),
        (MONDAY, FRIDAY, "75", 0),
    ],
)
def test_week_ends_and_the_holidays_of_the_place_do_not_count(
    filed: date, decided: date, department: str | None, days: int
) -> None:
    assert working_days(filed, decided, department) == days


@pytest.mark.parametrize(
    ("hour", "day"), [(21, date(2026, 7, 1)), (22, date(2026, 7, 2)), (23, date(2026, 7, 2))]
)
def test_a_day_begins_at_midnight_in_paris(hour: int, day: date) -> None:
    assert day_in_paris(datetime(2026, 7, 1, hour, 30, tzinfo=UTC)) == day
