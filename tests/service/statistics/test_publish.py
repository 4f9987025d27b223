"""Counting months, and publishing those that are over: on real dossiers and both engines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from routing.calendar import PARIS
from routing.facts import DossierState
from service.poll import poll
from service.purge import purge
from service.statistics.count import count_month
from service.statistics.month import MonthCounts
from service.statistics.publish import StatisticsReport, publish_when_due, settled_at
from store import published_figures
from store.count_models import DailyFigure
from store.published_figures import StoredFigure
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness
from tests.fixtures.processes import until

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
DAYS = 730
MORNING = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
"""A Monday, eight o'clock in Paris; the first of November is a holiday and a Sunday."""


def counted(harness: Harness, first: date = OCTOBER, after: date = DECEMBER) -> MonthCounts:
    """What happened in a month, or in two."""
    with harness.runtime.database.begin() as connection:
        return count_month(connection, first, after)


def months(harness: Harness) -> list[date]:
    with harness.runtime.database.read() as connection:
        return published_figures.months(connection)


def public(harness: Harness) -> list[StoredFigure]:
    with harness.runtime.database.read() as connection:
        return list(published_figures.figures(connection))


def file(
    harness: Harness,
    count: int,
    day: int,
    *,
    month: int = 10,
    **particulars: Any,  # noqa: ANN401
) -> list[int]:
    """Let dossiers be filed at noon of a day of 2026."""
    at = datetime(2026, month, day, 10, tzinfo=UTC)
    return [harness.file(filed_at=at, **particulars) for _ in range(count)]


def test_each_dossier_is_counted_on_the_days_of_its_deposit_and_its_decision(
    harness: Harness,
) -> None:
    (number,) = file(harness, 1, 30, department="75")  # a Friday
    harness.run()
    # Midnight in Paris, the 4th of November, a Wednesday.
    decided_at = datetime(2026, 11, 3, 23, 30, tzinfo=UTC)
    harness.tps.change(number, state="closed", changed_at=decided_at)
    harness.run()
    assert sum(counted(harness, OCTOBER, NOVEMBER).filed.values()) == 1
    assert not counted(harness, OCTOBER, NOVEMBER).decided
    november = counted(harness, NOVEMBER, DECEMBER)
    assert not november.filed
    (kind,) = {kind for _, kind, _ in november.decided}
    assert november.decided == {("75", kind, 3): 1}
    assert november.outcomes == {("closed", kind): 1}
    assert not counted(harness, NOVEMBER, date(2026, 11, 4)).decided


def test_a_dossier_that_is_reopened_or_moves_is_counted_as_it_is_now(harness: Harness) -> None:
    (number,) = file(harness, 1, 30, department="75", state="closed")
    harness.run()
    assert sum(counted(harness).decided.values()) == 1
    harness.wait(minutes=1)
    harness.tps.change(number, state="received", department="93", changed_at=harness.now)
    harness.run()
    assert not counted(harness).decided
    assert [place for place, _ in counted(harness).filed] == ["93"]


def test_what_is_purged_stays_counted_once(harness: Harness) -> None:
    old, young = file(harness, 2, 1, state="closed")
    harness.run()
    harness.wait(minutes=1)
    harness.tps.change(young, state="received", changed_at=harness.now)
    harness.wait(days=DAYS + 60)
    harness.run()
    before = counted(harness)
    assert purge(harness.runtime).dossiers == 1
    after = counted(harness)
    assert (after.filed, after.decided) == (before.filed, before.decided)
    assert (sum(after.filed.values()), sum(after.decided.values())) == (2, 1)
    with harness.runtime.database.read() as connection:
        rows = connection.execute(select(DailyFigure)).all()
    assert old not in {value for row in rows for value in row}


def test_what_a_later_purge_removes_is_added_to_what_an_earlier_one_did(harness: Harness) -> None:
    first, later = file(harness, 2, 1)
    harness.run()
    for number in (first, later):
        harness.tps.change(number, state="closed", changed_at=harness.now)
        harness.run()
        harness.wait(minutes=1)
    for days in (DAYS, 0):
        harness.wait(days=days, seconds=-60)
        assert purge(harness.runtime).dossiers == 1
        harness.wait(seconds=120)
    assert sum(counted(harness).filed.values()) == 2


def test_a_month_is_published_on_the_first_working_day_and_then_never_changes(
    harness: Harness,
) -> None:
    file(harness, 7, 15)
    harness.now = MORNING - timedelta(minutes=1)
    harness.run()
    assert publish_when_due(harness.runtime) == StatisticsReport()
    harness.now = MORNING
    harness.run()
    assert publish_when_due(harness.runtime).published == (OCTOBER,)
    before = public(harness)
    assert {line.requests for line in before} == {7}
    file(harness, 9, 16)
    harness.now = datetime(2026, 12, 8, 8, tzinfo=UTC)
    harness.run()
    assert publish_when_due(harness.runtime).published == (NOVEMBER,)
    assert [line for line in public(harness) if line.month == OCTOBER] == before
    assert publish_when_due(harness.runtime).published == ()


def test_no_month_is_published_before_what_was_filed_in_it_is_read(harness: Harness) -> None:
    file(harness, 7, 15)
    harness.run()
    file(harness, 2, 16)
    harness.wait(minutes=2)
    for form in (PARIS_FORM, OTHER_FORM):
        poll(harness.runtime, form)
    assert publish_when_due(harness.runtime) == StatisticsReport(waiting=True)
    harness.run()
    assert publish_when_due(harness.runtime) == StatisticsReport((OCTOBER,))
    assert {line.requests for line in public(harness)} == {9}


def test_nothing_is_published_while_a_form_was_not_listed_to_its_end(harness: Harness) -> None:
    file(harness, 7, 15)
    harness.tps.fail_procedure(OTHER_FORM, 503)
    harness.run()
    assert publish_when_due(harness.runtime).published == ()


@pytest.mark.parametrize("count", [0, 3])
def test_nothing_is_published_before_a_month_has_five(harness: Harness, count: int) -> None:
    file(harness, count, 15)
    harness.run()
    assert publish_when_due(harness.runtime).published == ()
    assert months(harness) == []


def test_a_month_without_dossiers_is_published_like_any_other(harness: Harness) -> None:
    file(harness, 7, 15, month=8)
    harness.run()
    assert len(publish_when_due(harness.runtime).published) == 3
    assert {line.month for line in public(harness)} == {date(2026, 8, 1)}


def test_every_public_figure_is_five_or_more_or_a_duration(harness: Harness) -> None:
    states = [DossierState.CLOSED, DossierState.RECEIVED]
    until = datetime(2026, 10, 20, tzinfo=UTC)
    forms = [harness.form(PARIS_FORM), harness.form(OTHER_FORM)]
    harness.tps.populate(forms, 120, states=states, until=until, every=timedelta(minutes=9))
    harness.run()
    publish_when_due(harness.runtime)
    shown = public(harness)
    assert len(shown) > 5
    for line in shown:
        assert all(n is None or n >= 5 for n in (line.requests, line.decisions, line.late)), line


def test_a_month_waits_until_each_form_was_polled_after_its_end(harness: Harness) -> None:
    """A service that was down over the end of a month knows nothing of its last days."""
    harness.now = datetime(2026, 10, 30, 12, tzinfo=UTC)
    file(harness, 7, 15)
    harness.run()
    harness.now = MORNING
    assert publish_when_due(harness.runtime) == StatisticsReport(waiting=True)
    file(harness, 2, 31)
    harness.run()
    assert publish_when_due(harness.runtime) == StatisticsReport((OCTOBER,))
    assert {line.requests for line in public(harness)} == {9}


def test_publishing_takes_turns_where_many_months_are_due(harness: Harness) -> None:
    file(harness, 7, 15, month=8)
    harness.run()
    turn = timedelta(seconds=-1)
    assert publish_when_due(harness.runtime, within=turn) == StatisticsReport(waiting=True)
    assert publish_when_due(harness.runtime, within=timedelta(0)).published
    assert len(months(harness)) == 3


@pytest.mark.parametrize(
    ("month", "day"),
    [
        (date(2026, 4, 1), date(2026, 5, 4)),  # Friday the 1st of May is a holiday
        (date(2026, 12, 1), date(2027, 1, 4)),
        (date(2026, 11, 1), date(2026, 12, 1)),
    ],
)
def test_a_month_is_settled_at_eight_on_the_first_working_day_after_it(
    month: date, day: date
) -> None:
    assert settled_at(month) == datetime.combine(day, time(8), PARIS)


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
def test_what_is_purged_while_a_month_is_counted_is_counted_once(harness: Harness) -> None:
    file(harness, 3, 1, state="closed")
    harness.run()
    harness.wait(days=DAYS + 60)
    with ThreadPoolExecutor(1) as aside, harness.runtime.database.begin() as connection:
        first = count_month(connection, OCTOBER, DECEMBER)
        purging = aside.submit(purge, harness.runtime)
        until(lambda: purge_waits(connection), "the purge waits")
        again = count_month(connection, OCTOBER, DECEMBER)
        connection.commit()
        assert purging.result(30).dossiers == 3
    assert first == again
    assert sum(counted(harness).filed.values()) == 3


def purge_waits(connection: Connection) -> bool:
    """Whether another transaction waits for a lock."""
    return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
