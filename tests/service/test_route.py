"""Reading and settling batches: bad dossiers, refusals, changes, leases."""

import contextlib
from typing import Any

import pytest

from routing.facts import DossierState, Facts
from service.guards.limits import LEASE
from service.poll import PollOutcome, poll
from service.route import route
from service.runtime import Runtime
from store import dossier_claims, procedures
from store.dossiers import DossierStatus
from store.leases import Lease
from store.procedures import ProcedureStatus
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness


@pytest.mark.parametrize("position", [0, 5, 9])
def test_a_bad_dossier_is_set_aside_while_the_others_are_routed(
    harness: Harness, position: int
) -> None:
    numbers = [harness.file() for _ in range(10)]
    harness.tps.fail_detail(numbers[position], 500)
    report = harness.run()
    assert (report.routing.routed, report.routing.quarantined) == (9, 1)
    bad = harness.dossier(numbers[position])
    assert bad.status is DossierStatus.QUARANTINED
    assert bad.reason == "tps-unavailable"


def test_a_dossier_set_aside_is_read_again_on_its_own_clock(harness: Harness) -> None:
    number = harness.file()
    harness.tps.fail_detail(number, 500)
    harness.run()
    harness.tps.heal()
    assert harness.run().routing.claimed == 0, "its clock has not come round"
    harness.wait(minutes=1)
    assert harness.run().routing.routed == 1
    assert harness.told(number) == [("filed", "UD075")]


def test_a_poisoned_dossier_is_asked_for_more_and_more_rarely(harness: Harness) -> None:
    number = harness.file()
    harness.tps.fail_detail(number, 500)
    asked = 0
    for _ in range(60):
        asked += harness.run().routing.quarantined
        harness.wait(hours=2)
    assert 10 < asked < 22
    assert harness.dossier(number).status is DossierStatus.QUARANTINED


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_stops_its_procedure_only(harness: Harness, status: int) -> None:
    harness.tps.fail_procedure(PARIS_FORM, status)
    paris, other = harness.file(PARIS_FORM), harness.file(OTHER_FORM, department="92")
    report = harness.run()
    assert report.polls[PARIS_FORM].outcome is PollOutcome.FAILED
    assert harness.told(other) == [("filed", "UD092")]
    with harness.runtime.database.read() as connection:
        rows = {row.number: row.status for row in procedures.listing(connection)}
    assert rows[PARIS_FORM] == ProcedureStatus.STOPPED
    assert rows[OTHER_FORM] == ProcedureStatus.ACTIVE
    harness.tps.heal()
    harness.run()
    assert harness.told(paris) == [("filed", "UD075")]


def test_a_refusal_met_while_reading_gives_the_dossiers_back(harness: Harness) -> None:
    numbers = [harness.file() for _ in range(3)]
    poll(_prepared(harness), PARIS_FORM)
    harness.tps.fail_procedure(PARIS_FORM, 401)
    report = route(harness.runtime, PARIS_FORM)
    assert (report.quarantined, report.given_back) == (0, 3)
    harness.tps.heal()
    harness.wait(hours=1)
    harness.run()
    assert all(harness.told(number) == [("filed", "UD075")] for number in numbers)


def test_a_change_of_departement_tells_both_offices_once(harness: Harness) -> None:
    number = harness.file(department="75")
    harness.run()
    harness.wait(minutes=5)
    harness.tps.change(number, department="93", changed_at=harness.now)
    harness.run()
    harness.run()
    assert sorted(harness.told(number)) == [
        ("filed", "UD075"),
        ("reassigned-from", "UD075"),
        ("reassigned-to", "UD093"),
    ]


def test_a_dossier_may_come_back_and_leave_again_and_each_move_is_told(harness: Harness) -> None:
    number = harness.file(department="75")
    harness.run()
    for department in ("93", "75", "93"):
        harness.wait(minutes=5)
        harness.tps.change(number, department=department, changed_at=harness.now)
        harness.run()
    assert harness.told(number).count(("reassigned-to", "UD093")) == 2
    assert harness.dossier(number).assignment.units == ("UD093",)


def test_a_change_of_date_alone_moves_nothing(harness: Harness) -> None:
    number = harness.file()
    harness.run()
    harness.wait(minutes=5)
    harness.tps.change(number, changed_at=harness.now)
    report = harness.run()
    assert report.routing.claimed == 1
    assert harness.told(number) == [("filed", "UD075")]


def test_a_decided_dossier_is_not_moved_any_more(harness: Harness) -> None:
    number = harness.file(department="75")
    harness.run()
    harness.wait(minutes=5)
    harness.tps.change(number, state=DossierState.CLOSED, department="93", changed_at=harness.now)
    harness.run()
    assert harness.dossier(number).assignment.units == ("UD075",)
    harness.wait(minutes=5)
    harness.tps.change(number, state=DossierState.RECEIVED, changed_at=harness.now)
    harness.run()
    assert harness.dossier(number).assignment.units == ("UD093",), "reopened: decided anew"


def test_what_a_dead_worker_held_is_due_again_after_its_lease(harness: Harness) -> None:
    number = harness.file()
    poll(_prepared(harness), PARIS_FORM)
    _claim_and_die(harness)
    assert route(harness.runtime, PARIS_FORM).claimed == 0, "somebody holds it"
    harness.wait(seconds=LEASE.total_seconds() + 1)
    assert route(harness.runtime, PARIS_FORM).routed == 1
    assert harness.dossier(number).status is DossierStatus.ROUTED


class _Killed(BaseException):
    """Ends a process in the midst of its work, which then gives nothing back."""


def _die_of(harness: Harness, monkeypatch: pytest.MonkeyPatch, poison: int) -> list[int]:
    """Route until one more process has died of `poison`; the numbers asked for meanwhile."""
    asked: list[int] = []
    read = harness.runtime.tps.facts

    def read_or_die(form: Any, types: Any, number: int, *rest: Any) -> Facts:  # noqa: ANN401
        asked.append(number)
        if number == poison:
            raise _Killed
        return read(form, types, number, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(harness.runtime.tps, "facts", read_or_die)
        patch.setattr("service.route.give_back", lambda *_: None)
        with contextlib.suppress(_Killed):
            while route(harness.runtime, PARIS_FORM).claimed:
                pass
    harness.wait(seconds=LEASE.total_seconds() + 1)
    return asked


def test_a_dossier_of_which_its_readers_die_is_read_alone_and_then_put_aside(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, *others = [harness.file() for _ in range(6)]
    poll(_prepared(harness), PARIS_FORM)
    asked = [_die_of(harness, monkeypatch, poison) for _ in range(5)]

    assert {harness.dossier(number).status for number in others} == {DossierStatus.ROUTED}
    aside = harness.dossier(poison)
    assert (aside.status, aside.reason) == (DossierStatus.QUARANTINED, "reader-lost")
    assert sum(numbers.count(poison) for numbers in asked) <= 4

    # It comes back on its own clock: aside once more for the last death, and then read.
    harness.wait(hours=1)
    assert route(harness.runtime, PARIS_FORM).quarantined == 1
    harness.wait(hours=1)
    assert route(harness.runtime, PARIS_FORM).routed == 1
    assert harness.dossier(poison).worker_losses == 0


def test_a_change_that_comes_while_a_dossier_is_read_is_read_as_well(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = harness.file(department="75")
    poll(_prepared(harness), PARIS_FORM)
    read = harness.runtime.tps.facts

    def read_and_be_overtaken(*arguments: Any) -> Facts:  # noqa: ANN401
        facts = read(*arguments)
        monkeypatch.undo()
        harness.wait(minutes=1)
        harness.tps.change(number, department="93", changed_at=harness.now)
        poll(harness.runtime, PARIS_FORM, full=True)
        return facts

    monkeypatch.setattr(harness.runtime.tps, "facts", read_and_be_overtaken)
    route(harness.runtime, PARIS_FORM)
    assert harness.dossier(number).assignment.units == ("UD075",)
    harness.run()
    assert harness.dossier(number).assignment.units == ("UD093",)


def _prepared(harness: Harness) -> Runtime:
    harness.register()
    return harness.runtime


def _claim_and_die(harness: Harness) -> None:
    lease = Lease(harness.now, LEASE)
    with harness.runtime.database.begin() as connection:
        dossier_claims.claim(connection, PARIS_FORM, limit=10, lease=lease, now=harness.now)
