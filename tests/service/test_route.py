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
from tests.stage import OTHER_FORM, PARIS_FORM, Stage


@pytest.mark.parametrize("position", [0, 5, 9])
def test_a_bad_dossier_is_set_aside_while_the_others_are_routed(
    stage: Stage, position: int
) -> None:
    numbers = [stage.file() for _ in range(10)]
    stage.tps.fail_detail(numbers[position], 500)
    report = stage.run()
    assert (report.routing.routed, report.routing.quarantined) == (9, 1)
    bad = stage.dossier(numbers[position])
    assert bad.status is DossierStatus.QUARANTINED
    assert bad.reason == "tps-unavailable"


def test_a_dossier_set_aside_is_read_again_on_its_own_clock(stage: Stage) -> None:
    number = stage.file()
    stage.tps.fail_detail(number, 500)
    stage.run()
    stage.tps.heal()
    assert stage.run().routing.claimed == 0, "its clock has not come round"
    stage.wait(minutes=1)
    assert stage.run().routing.routed == 1
    assert stage.told(number) == [("filed", "UD075")]


def test_a_poisoned_dossier_is_asked_for_more_and_more_rarely(stage: Stage) -> None:
    number = stage.file()
    stage.tps.fail_detail(number, 500)
    asked = 0
    for _ in range(60):
        asked += stage.run().routing.quarantined
        stage.wait(hours=2)
    assert 10 < asked < 22
    assert stage.dossier(number).status is DossierStatus.QUARANTINED


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_stops_its_procedure_only(stage: Stage, status: int) -> None:
    stage.tps.fail_procedure(PARIS_FORM, status)
    paris, other = stage.file(PARIS_FORM), stage.file(OTHER_FORM, department="92")
    report = stage.run()
    assert report.polls[PARIS_FORM].outcome is PollOutcome.FAILED
    assert stage.told(other) == [("filed", "UD092")]
    with stage.runtime.database.read() as connection:
        rows = {row.number: row.status for row in procedures.listing(connection)}
    assert rows[PARIS_FORM] == ProcedureStatus.STOPPED
    assert rows[OTHER_FORM] == ProcedureStatus.ACTIVE
    stage.tps.heal()
    stage.run()
    assert stage.told(paris) == [("filed", "UD075")]


def test_a_refusal_met_while_reading_gives_the_dossiers_back(stage: Stage) -> None:
    numbers = [stage.file() for _ in range(3)]
    poll(_prepared(stage), PARIS_FORM)
    stage.tps.fail_procedure(PARIS_FORM, 401)
    report = route(stage.runtime, PARIS_FORM)
    assert (report.quarantined, report.given_back) == (0, 3)
    stage.tps.heal()
    stage.wait(hours=1)
    stage.run()
    assert all(stage.told(number) == [("filed", "UD075")] for number in numbers)


def test_a_change_of_departement_tells_both_offices_once(stage: Stage) -> None:
    number = stage.file(department="75")
    stage.run()
    stage.wait(minutes=5)
    stage.tps.change(number, department="93", changed_at=stage.now)
    stage.run()
    stage.run()
    assert sorted(stage.told(number)) == [
        ("filed", "UD075"),
        ("reassigned-from", "UD075"),
        ("reassigned-to", "UD093"),
    ]


def test_a_dossier_may_come_back_and_leave_again_and_each_move_is_told(stage: Stage) -> None:
    number = stage.file(department="75")
    stage.run()
    for department in ("93", "75", "93"):
        stage.wait(minutes=5)
        stage.tps.change(number, department=department, changed_at=stage.now)
        stage.run()
    assert stage.told(number).count(("reassigned-to", "UD093")) == 2
    assert stage.dossier(number).assignment.units == ("UD093",)


def test_a_change_of_date_alone_moves_nothing(stage: Stage) -> None:
    number = stage.file()
    stage.run()
    stage.wait(minutes=5)
    stage.tps.change(number, changed_at=stage.now)
    report = stage.run()
    assert report.routing.claimed == 1
    assert stage.told(number) == [("filed", "UD075")]


def test_a_decided_dossier_is_not_moved_any_more(stage: Stage) -> None:
    number = stage.file(department="75")
    stage.run()
    stage.wait(minutes=5)
    stage.tps.change(number, state=DossierState.CLOSED, department="93", changed_at=stage.now)
    stage.run()
    assert stage.dossier(number).assignment.units == ("UD075",)
    stage.wait(minutes=5)
    stage.tps.change(number, state=DossierState.RECEIVED, changed_at=stage.now)
    stage.run()
    assert stage.dossier(number).assignment.units == ("UD093",), "reopened: decided anew"


def test_what_a_dead_worker_held_is_due_again_after_its_lease(stage: Stage) -> None:
    number = stage.file()
    poll(_prepared(stage), PARIS_FORM)
    _claim_and_die(stage)
    assert route(stage.runtime, PARIS_FORM).claimed == 0, "somebody holds it"
    stage.wait(seconds=LEASE.total_seconds() + 1)
    assert route(stage.runtime, PARIS_FORM).routed == 1
    assert stage.dossier(number).status is DossierStatus.ROUTED


class _Killed(BaseException):
    """Ends a process in the midst of its work, which then gives nothing back."""


def _die_of(stage: Stage, monkeypatch: pytest.MonkeyPatch, poison: int) -> list[int]:
    """Route until one more process has died of `poison`; the numbers asked for meanwhile."""
    asked: list[int] = []
    read = stage.runtime.tps.facts

    def read_or_die(form: Any, types: Any, number: int, *rest: Any) -> Facts:  # noqa: ANN401
        asked.append(number)
        if number == poison:
            raise _Killed
        return read(form, types, number, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(stage.runtime.tps, "facts", read_or_die)
        patch.setattr("service.route.give_back", lambda *_: None)
        with contextlib.suppress(_Killed):
            while route(stage.runtime, PARIS_FORM).claimed:
                pass
    stage.wait(seconds=LEASE.total_seconds() + 1)
    return asked


def test_a_dossier_of_which_its_readers_die_is_read_alone_and_then_put_aside(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, *others = [stage.file() for _ in range(6)]
    poll(_prepared(stage), PARIS_FORM)
    asked = [_die_of(stage, monkeypatch, poison) for _ in range(5)]

    assert {stage.dossier(number).status for number in others} == {DossierStatus.ROUTED}
    aside = stage.dossier(poison)
    assert (aside.status, aside.reason) == (DossierStatus.QUARANTINED, "reader-lost")
    assert sum(numbers.count(poison) for numbers in asked) <= 4

    # It comes back on its own clock: aside once more for the last death, and then read.
    stage.wait(hours=1)
    assert route(stage.runtime, PARIS_FORM).quarantined == 1
    stage.wait(hours=1)
    assert route(stage.runtime, PARIS_FORM).routed == 1
    assert stage.dossier(poison).worker_losses == 0


def test_a_change_that_comes_while_a_dossier_is_read_is_read_as_well(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = stage.file(department="75")
    poll(_prepared(stage), PARIS_FORM)
    read = stage.runtime.tps.facts

    def read_and_be_overtaken(*arguments: Any) -> Facts:  # noqa: ANN401
        facts = read(*arguments)
        monkeypatch.undo()
        stage.wait(minutes=1)
        stage.tps.change(number, department="93", changed_at=stage.now)
        poll(stage.runtime, PARIS_FORM, full=True)
        return facts

    monkeypatch.setattr(stage.runtime.tps, "facts", read_and_be_overtaken)
    route(stage.runtime, PARIS_FORM)
    assert stage.dossier(number).assignment.units == ("UD075",)
    stage.run()
    assert stage.dossier(number).assignment.units == ("UD093",)


def _prepared(stage: Stage) -> Runtime:
    stage.register()
    return stage.runtime


def _claim_and_die(stage: Stage) -> None:
    lease = Lease(stage.now, LEASE)
    with stage.runtime.database.begin() as connection:
        dossier_claims.claim(connection, PARIS_FORM, limit=10, lease=lease, now=stage.now)
