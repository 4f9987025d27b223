"""Walking through a procedure over v2: nothing is missed, and a quiet tick is one request."""

from datetime import timedelta

import pytest

from connectors.tps.errors import StopProcedure
from routing.facts import DossierState
from routing.failures import Cause
from simulator import Fault, FaultKind, Seen
from tests.connectors.tps.v2.port import FORM, Reader


def test_a_page_brings_the_facts_of_its_dossiers(v2: Reader) -> None:
    numbers = v2.tps.populate([FORM], 3, oddities=False, states=[DossierState.INITIATED])
    rows = v2.everything()
    assert list(rows) == numbers
    for number, row in rows.items():
        truth = v2.tps.expected(number)
        assert row.facts is not None
        assert (row.facts.permit_type, row.facts.department) == (
            truth.permit_type,
            truth.department,
        )
        assert (row.state, row.filed_at) == (truth.state, v2.tps.dossier(number).filed_at)


def test_ten_thousand_dossiers_need_no_request_of_their_own(v2: Reader) -> None:
    numbers = v2.tps.populate([FORM], 1000, oddities=False)
    assert sorted(v2.everything()) == numbers
    # The fields of the form, then ten pages of a hundred.
    assert v2.requests() == 11


def test_a_tick_without_news_is_one_request(v2: Reader) -> None:
    v2.tps.populate([FORM], 250, oddities=False)
    v2.begun()
    for minutes in (1, 1, 30, 600):
        v2.requests()
        v2.wait(minutes=minutes)
        v2.changes()
        assert v2.requests() == 1


def test_what_is_new_and_what_changed_is_listed(v2: Reader) -> None:
    first, *_ = v2.tps.populate([FORM], 150, until=v2.now - timedelta(days=9), oddities=False)
    v2.begun()
    v2.wait(hours=1)
    v2.tps.change(first, department="93")
    new = v2.tps.add(FORM).number
    rows = v2.changes()
    assert set(rows) == {first, new}
    facts = rows[first].facts
    assert facts is not None
    assert facts.department == "93"
    v2.wait(hours=1)
    v2.changes()
    assert v2.changes() == {}


def test_what_changes_during_the_first_scan_is_listed_after_it(v2: Reader) -> None:
    first, *_ = v2.tps.populate([FORM], 150, until=v2.now - timedelta(days=9), oddities=False)

    def change_once(_: Seen) -> None:
        if len(v2.tps.requests) == 3:
            v2.tps.change(first, department="93")

    v2.tps.on_request = change_once
    v2.everything()
    assert first in v2.changes()


def test_the_instant_since_which_is_asked_stays_the_same_with_its_cursor(v2: Reader) -> None:
    v2.begun()
    v2.wait(hours=1)
    v2.tps.populate([FORM], 250, until=v2.now, every=timedelta(seconds=1), oddities=False)
    v2.requests()
    v2.changes()
    v2.tps.requests.clear()
    v2.wait(minutes=1)
    v2.changes()
    asked = [seen.variables for seen in v2.tps.requests]
    assert len(asked) == 3
    assert len({each["since"] for each in asked}) == 1
    assert asked[0]["after"] is None
    assert asked[1]["after"]


def test_an_empty_page_keeps_the_cursor(v2: Reader) -> None:
    v2.tps.add(FORM)
    v2.begun()
    v2.wait(hours=1)
    v2.changes()
    before = v2.at.changes
    v2.wait(hours=1)
    v2.changes()
    assert v2.at.changes == before
    assert before is not None
    assert before.after


def test_changes_that_commit_late_are_listed_though_their_date_was_passed(v2: Reader) -> None:
    v2.begun()
    v2.wait(hours=1)
    late = v2.tps.add(FORM, commits_after=timedelta(minutes=4)).number
    v2.wait(minutes=1)
    on_time = v2.tps.add(FORM).number
    assert set(v2.changes()) == {on_time}
    v2.wait(minutes=1)
    assert late not in v2.changes()
    v2.wait(minutes=3)
    assert late in v2.changes()


def test_control_without_the_window_a_late_commit_is_not_listed(
    v2: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.tps.v2.walk.WINDOW", timedelta(0))
    v2.begun()
    v2.wait(hours=1)
    late = v2.tps.add(FORM, commits_after=timedelta(minutes=4)).number
    v2.wait(minutes=1)
    v2.tps.add(FORM)
    v2.changes()
    v2.wait(minutes=5)
    assert late not in v2.changes()


def test_dossiers_that_changed_in_the_same_instant_are_all_listed(v2: Reader) -> None:
    v2.begun()
    v2.wait(hours=1)
    numbers = v2.tps.populate([FORM], 230, until=v2.now, every=timedelta(0), oddities=False)
    assert sorted(v2.changes()) == numbers


def test_a_tie_that_appears_behind_the_cursor_is_listed(v2: Reader) -> None:
    v2.begun()
    v2.wait(hours=1)
    v2.tps.add(FORM, number=9_000_000)
    v2.changes()
    # The same instant and a smaller number: behind the cursor, whatever it compares.
    v2.tps.add(FORM, number=8_000_000)
    assert 8_000_000 in v2.changes()


@pytest.mark.parametrize("walk", ["changes", "everything"])
def test_a_refused_cursor_starts_the_walk_over(v2: Reader, walk: str) -> None:
    numbers = v2.tps.populate([FORM], 250, oddities=False)
    if walk == "changes":
        v2.begun()
        v2.wait(hours=1)
        v2.changes()

    def forget_once(_: Seen) -> None:
        v2.tps.v2.forget_cursors()
        v2.tps.on_request = None

    if walk == "changes":
        v2.tps.v2.forget_cursors()
        assert v2.changes()
        return
    page = v2.port.everything(FORM, (), None)
    page = v2.port.everything(FORM, (), page.cursor)
    v2.cursor = page.cursor
    v2.tps.on_request = forget_once
    assert sorted(v2.everything()) == numbers


def test_a_query_that_is_refused_without_a_cursor_stops_the_procedure(v2: Reader) -> None:
    v2.tps.fail_all(Fault(kind=FaultKind.ERRORS, code="bad_request"))
    with pytest.raises(StopProcedure) as caught:
        v2.everything()
    assert caught.value.cause is Cause.TPS_REJECTED


@pytest.mark.parametrize("cursor", ["", "{}", '{"api":"v1","format":1,"pages":3}', "nonsense"])
def test_a_foreign_cursor_starts_over(v2: Reader, cursor: str) -> None:
    number = v2.tps.add(FORM, filed_at=v2.now - timedelta(days=900)).number
    v2.cursor = cursor
    assert set(v2.changes()) == {number}


class TestDeletions:
    def test_both_lists_are_told_with_the_pages(self, v2: Reader) -> None:
        gone, pending, expired, kept = v2.tps.populate([FORM], 4, oddities=False)
        v2.begun()
        v2.wait(minutes=30)
        v2.tps.delete(gone)
        v2.tps.hide(pending)
        v2.tps.expire(expired)
        v2.changes()
        assert v2.deleted() == [gone, pending]
        v2.changes()
        assert v2.deleted() == []
        assert set(v2.everything()) == {kept}

    def test_a_deletion_that_is_undone_is_a_change(self, v2: Reader) -> None:
        number = v2.tps.add(FORM).number
        v2.begun()
        v2.tps.hide(number)
        v2.changes()
        v2.wait(hours=1)
        v2.tps.restore(number)
        assert set(v2.changes()) == {number}

    def test_more_deletions_than_a_page_holds(self, v2: Reader) -> None:
        numbers = v2.tps.populate([FORM], 230, oddities=False)
        v2.begun()
        for number in numbers:
            v2.tps.delete(number)
        v2.changes()
        assert v2.deleted() == numbers

    def test_deletions_of_long_ago_are_none_of_ours(self, v2: Reader) -> None:
        number = v2.tps.add(FORM).number
        v2.tps.delete(number)
        v2.wait(days=30)
        v2.begun()
        v2.changes()
        assert v2.deleted() == []
