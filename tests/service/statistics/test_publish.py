"""Counting by day, and publishing months that are over: on real dossiers and both engines."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from routing.facts import DossierState
from service.poll import poll
from service.purge import purge
from service.statistics.count import count_days
from service.statistics.publish import publish_when_due, update_statistics
from store import daily_figures, published_figures
from store.count_models import DailyFigure
from store.daily_figures import Happening
from store.published_figures import StoredFigure
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
DAYS = 730


def counts(harness: Harness) -> Counter[tuple[Happening, date, int]]:
    """Dossiers by what happened to them, the day and working days."""
    found: Counter[tuple[Happening, date, int]] = Counter()
    with harness.runtime.database.read() as connection:
        for row in connection.execute(select(DailyFigure)).mappings():
            key = Happening(row["event"]), row["day"], row["working_days"]
            found[key] += row["stored"] + row["purged"]
    return +found


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
    (number,) = file(harness, 1, 30)  # a Friday
    harness.run()
    count_days(harness.runtime.database)
    assert counts(harness) == {(Happening.FILED, date(2026, 10, 30), 0): 1}
    decided_at = datetime(2026, 11, 3, 23, 30, tzinfo=UTC)  # the 4th in Paris, a Wednesday
    harness.tps.change(number, state="closed", changed_at=decided_at)
    harness.run()
    assert count_days(harness.runtime.database) == 1
    assert counts(harness) == {
        (Happening.FILED, date(2026, 10, 30), 0): 1,
        (Happening.DECIDED, date(2026, 11, 4), 3): 1,
    }
    assert count_days(harness.runtime.database) == 0


def test_a_dossier_that_is_reopened_or_moves_is_counted_as_it_is_now(harness: Harness) -> None:
    (number,) = file(harness, 1, 30, department="75", state="closed")
    harness.run()
    count_days(harness.runtime.database)
    harness.wait(minutes=1)
    harness.tps.change(number, state="received", department="93", changed_at=harness.now)
    harness.run()
    count_days(harness.runtime.database)
    assert counts(harness) == {(Happening.FILED, date(2026, 10, 30), 0): 1}
    with harness.runtime.database.read() as connection:
        (row,) = daily_figures.month(connection, OCTOBER, NOVEMBER)
    assert (row.department, row.dossiers) == ("93", 1)


def test_what_is_purged_stays_counted_once_however_often_days_are_counted(harness: Harness) -> None:
    old, young = file(harness, 2, 1, state="closed")
    harness.run()
    count_days(harness.runtime.database)
    before = counts(harness)
    harness.wait(minutes=1)
    harness.tps.change(young, state="received", changed_at=harness.now)
    harness.wait(days=DAYS + 60)
    harness.run()
    count_days(harness.runtime.database)
    assert purge(harness.runtime).dossiers == 1
    after_purge = counts(harness)
    count_days(harness.runtime.database)
    assert counts(harness) == after_purge
    assert sum(before.values()) == 4
    assert after_purge == {
        (Happening.FILED, date(2026, 10, 1), 0): 2,
        (Happening.DECIDED, date(2026, 10, 1), 0): 1,
    }
    with harness.runtime.database.read() as connection:
        assert old not in {
            value for row in connection.execute(select(DailyFigure)) for value in row
        }


def test_a_purge_counts_what_was_never_counted_before(harness: Harness) -> None:
    file(harness, 3, 1, state="closed")
    harness.run()
    harness.wait(days=DAYS + 60)
    purge(harness.runtime)
    count_days(harness.runtime.database)
    assert sum(counts(harness).values()) == 6


def test_a_month_is_published_a_week_after_its_end_and_then_never_changes(harness: Harness) -> None:
    file(harness, 7, 15)
    harness.now = datetime(2026, 11, 7, 22, tzinfo=UTC)
    harness.run()
    assert update_statistics(harness.runtime).published == ()
    harness.now = datetime(2026, 11, 8, 8, tzinfo=UTC)
    harness.run()
    assert update_statistics(harness.runtime).published == (OCTOBER,)
    before = public(harness)
    assert {line.requests for line in before} == {7}
    file(harness, 9, 16)
    harness.now = datetime(2026, 12, 8, 8, tzinfo=UTC)
    harness.run()
    assert update_statistics(harness.runtime).published == (NOVEMBER,)
    assert [line for line in public(harness) if line.month == OCTOBER] == before
    assert update_statistics(harness.runtime).published == ()


def test_no_month_is_published_before_what_was_filed_in_it_is_read(harness: Harness) -> None:
    harness.run()
    file(harness, 7, 15)
    harness.wait(days=10)
    poll(harness.runtime, PARIS_FORM)
    update_statistics(harness.runtime)
    assert months(harness) == []
    harness.run()
    assert update_statistics(harness.runtime).published == (OCTOBER,)


def test_nothing_is_published_while_a_form_was_not_listed_to_its_end(harness: Harness) -> None:
    file(harness, 7, 15)
    harness.tps.fail_procedure(OTHER_FORM, 503)
    harness.run()
    assert update_statistics(harness.runtime).published == ()


@pytest.mark.parametrize("count", [0, 3])
def test_nothing_is_published_before_a_month_has_five(harness: Harness, count: int) -> None:
    file(harness, count, 15)
    harness.run()
    assert update_statistics(harness.runtime).published == ()
    assert months(harness) == []


def test_a_month_without_dossiers_is_published_like_any_other(harness: Harness) -> None:
    file(harness, 7, 15, month=8)
    harness.run()
    assert len(update_statistics(harness.runtime).published) == 3
    assert {line.month for line in public(harness)} == {date(2026, 8, 1)}


def test_every_public_figure_is_five_or_more_or_a_duration(harness: Harness) -> None:
    states = [DossierState.CLOSED, DossierState.RECEIVED]
    until = datetime(2026, 10, 20, tzinfo=UTC)
    forms = [harness.form(PARIS_FORM), harness.form(OTHER_FORM)]
    harness.tps.populate(forms, 120, states=states, until=until, every=timedelta(minutes=9))
    harness.run()
    update_statistics(harness.runtime)
    shown = public(harness)
    assert len(shown) > 5
    for line in shown:
        assert all(n is None or n >= 5 for n in (line.requests, line.decisions, line.late)), line


def test_nothing_is_counted_while_no_month_is_due(harness: Harness) -> None:
    file(harness, 7, 15)
    harness.run()
    assert publish_when_due(harness.runtime).published == (OCTOBER,)
    file(harness, 2, 16)
    harness.run()
    assert publish_when_due(harness.runtime).changed == 0
    harness.now = datetime(2026, 12, 8, 8, tzinfo=UTC)
    harness.run()
    assert publish_when_due(harness.runtime).published == (NOVEMBER,)


def test_what_is_purged_while_days_are_counted_is_counted_once(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    file(harness, 3, 1, state="closed")
    harness.run()
    harness.wait(days=DAYS + 60)
    read = daily_figures.stored_dossiers
    purged: list[bool] = []

    def read_and_purge(connection: Connection) -> Iterator[Any]:
        yield from read(connection)
        if not purged:
            purged.append(True)
            purge(harness.runtime)

    monkeypatch.setattr(daily_figures, "stored_dossiers", read_and_purge)
    count_days(harness.runtime.database)
    assert purged
    assert sum(counts(harness).values()) == 6
