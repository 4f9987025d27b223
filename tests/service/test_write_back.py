"""Following in TPS: a dossier is moved to the group of its unit, once, unless a person chose."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from routing.failures import Cause, Failure
from routing.forms import TpsApi
from service.deliver import deliver
from service.guards.throttle import Throttle
from service.write_back import Comparison, compare_groups, followed_procedures, labels_of
from simulator import Fault, FaultKind, Server
from store.models import Dossier
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, make_harness
from tests.service.grouped_offices import LABELS, Offices

FIRST_GROUP = PARIS_FORM * 10 + 1


def test_a_decided_dossier_is_moved_to_the_group_of_its_unit_once(offices: Offices) -> None:
    paris, bobigny = offices.file("75"), offices.file("93")
    assert offices.group(paris) == offices.groups["UD075"]
    assert offices.group(bobigny) == offices.groups["UD093"]
    assert offices.states(paris) == [("UD075", "sent", None)]
    for _ in range(2):
        offices.go_on(minutes=2)
    assert offices.moves() == 2
    assert len(offices.harness.mails()) == 2


def test_it_is_off_by_default(database_url: str, tps: Server, tmp_path: Path) -> None:
    harness = make_harness(database_url, tps, tmp_path, tps_api="v2")
    tps.simulator.add_group(PARIS_FORM, LABELS["UD075"])
    offices = Offices(harness, {})
    offices.publish(LABELS)
    number = offices.file()
    assert offices.states(number) == []
    assert offices.group(number) == FIRST_GROUP
    assert harness.told(number) == [("filed", "UD075")]
    harness.runtime.close()


def test_what_was_queued_is_left_alone_when_it_is_switched_off(offices: Offices) -> None:
    harness = offices.harness
    harness.tps.v2.token_writes = False
    number = offices.file()
    assert offices.states(number) == [("UD075", "pending", "tps-group-refused")]
    harness.tps.v2.token_writes = True
    off = harness.runtime.settings.model_copy(update={"tps_write_back": False})
    harness.runtime.settings = off
    offices.go_on(hours=1)
    assert offices.states(number) == [("UD075", "cancelled", "write-back-off")]
    assert offices.group(number) == FIRST_GROUP


def test_a_unit_without_a_group_is_only_told(offices: Offices) -> None:
    number = offices.file("92")
    assert offices.states(number) == []
    assert offices.moves() == 0
    assert len(offices.harness.mails()) == 1


def test_where_it_is_already_nothing_is_changed(offices: Offices) -> None:
    number = offices.harness.file(department="75")
    offices.harness.tps.choose_group(number, offices.groups["UD075"])
    offices.harness.run()
    assert offices.states(number) == [("UD075", "sent", None)]
    assert offices.moves() == 0


def test_a_reassignment_moves_it_as_well_and_tells_as_usual(offices: Offices) -> None:
    number = offices.file()
    offices.reassign(number, "UD093")
    offices.go_on(minutes=2)
    assert offices.group(number) == offices.groups["UD093"]
    assert offices.states(number) == [("UD075", "sent", None), ("UD093", "sent", None)]
    assert len(offices.harness.mails()) == 3
    offices.reassign(number, "UD075")
    offices.go_on(minutes=2)
    assert offices.group(number) == offices.groups["UD075"]
    assert offices.moves() == 3


def test_a_move_that_waits_is_overtaken_by_the_next_one(offices: Offices) -> None:
    offices.harness.tps.v2.token_writes = False
    number = offices.file()
    offices.harness.tps.v2.token_writes = True
    offices.reassign(number, "UD093")
    offices.go_on(hours=1)
    states = offices.states(number)
    assert states == [("UD075", "cancelled", "tps-group-refused"), ("UD093", "sent", None)]
    # That the move waited does not change who is told by mail.
    assert {("filed", "UD075"), ("reassigned-from", "UD075"), ("reassigned-to", "UD093")} == set(
        offices.harness.told(number)
    )


def test_a_group_that_a_person_chose_later_wins_and_is_audited(offices: Offices) -> None:
    number = offices.file()
    chosen = offices.harness.tps.add_group(PARIS_FORM, "Cellule nationale")
    offices.harness.tps.choose_group(number, chosen)
    offices.reassign(number, "UD093")
    offices.go_on(minutes=2)
    assert offices.group(number) == chosen
    assert offices.moves() == 1
    assert offices.states(number)[-1] == ("UD093", "cancelled", "group-chosen-in-tps")
    assert ("cancelled", "group-chosen-in-tps") in offices.audited(number)
    # The office is told by mail all the same.
    assert ("reassigned-to", "UD093") in offices.harness.told(number)


def test_also_one_that_was_chosen_before_the_first_move(offices: Offices) -> None:
    offices.harness.tps.v2.token_writes = False
    number = offices.file()
    chosen = offices.harness.tps.add_group(PARIS_FORM, "Cellule nationale")
    offices.harness.tps.choose_group(number, chosen)
    offices.harness.tps.v2.token_writes = True
    offices.go_on(minutes=2)
    assert offices.group(number) == chosen
    assert offices.states(number) == [("UD075", "cancelled", "group-chosen-in-tps")]


def test_the_group_into_which_tps_itself_sorted_it_is_nobodys_choice(offices: Offices) -> None:
    number = offices.harness.file(department="75")
    offices.harness.tps.choose_group(number, offices.groups["UD093"])
    offices.harness.run()
    assert offices.group(number) == offices.groups["UD075"]


def test_the_group_of_a_dossier_that_was_known_before_is_learned_from_a_list(
    offices: Offices,
) -> None:
    number = offices.file("92")
    with offices.harness.runtime.database.begin() as connection:
        connection.execute(update(Dossier).values(tps_group=None))
    offices.go_on(hours=1)
    chosen = offices.harness.tps.add_group(PARIS_FORM, "Cellule nationale")
    offices.harness.tps.choose_group(number, chosen)
    offices.reassign(number, "UD093")
    offices.go_on(minutes=2)
    assert offices.group(number) == chosen


FAULTS = [
    (Fault(kind=FaultKind.TRUNCATED), Cause.TPS_TRUNCATED),
    (Fault(kind=FaultKind.HANG), Cause.TPS_TIMEOUT),
    (Fault(kind=FaultKind.ERRORS_BESIDE_DATA), None),
    (Fault(kind=FaultKind.RESET), Cause.TPS_RESET),
    (Fault(kind=FaultKind.HTML, status=502), Cause.TPS_UNAVAILABLE),
    (Fault(kind=FaultKind.HTML, status=200), Cause.TPS_NOT_JSON),
    (Fault(kind=FaultKind.HTML, status=403), Cause.TPS_FORBIDDEN),
    (Fault(kind=FaultKind.TEXT, status=429), Cause.TPS_THROTTLED),
    (Fault(kind=FaultKind.ERRORS, code="timeout"), Cause.TPS_TIMEOUT),
    (Fault(kind=FaultKind.ERRORS, code="unauthorized"), Cause.TPS_FORBIDDEN),
    (Fault(kind=FaultKind.ERRORS, code="not_found"), Cause.TPS_NOT_FOUND),
    (Fault(kind=FaultKind.ERRORS, code="bad_request"), Cause.TPS_REJECTED),
]


@pytest.mark.parametrize(("fault", "cause"), FAULTS)
def test_what_fails_is_tried_again_and_has_no_second_effect(
    offices: Offices, fault: Fault, cause: Cause | None
) -> None:
    offices.fail_the_move(Fault(kind=fault.kind, status=fault.status, code=fault.code, times=1))
    number = offices.file()
    expected = ("sent", None) if cause is None else ("pending", cause.value)
    assert offices.states(number) == [("UD075", *expected)]
    accepted = offices.group(number) == offices.groups["UD075"]
    offices.harness.tps.heal()
    offices.go_on(hours=1)
    assert offices.states(number) == [("UD075", "sent", None)]
    assert offices.group(number) == offices.groups["UD075"]
    assert offices.moves() == (1 if accepted else 2)
    assert len(offices.harness.mails()) == 1


def test_a_move_of_which_nobody_knows_the_end_is_no_persons_choice(offices: Offices) -> None:
    offices.fail_the_move(Fault(kind=FaultKind.TRUNCATED, times=1))
    number = offices.file()
    assert offices.group(number) == offices.groups["UD075"]
    assert offices.states(number) == [("UD075", "pending", "tps-truncated")]
    offices.reassign(number, "UD093")
    offices.go_on(hours=1)
    cancelled = ("UD075", "cancelled", "tps-truncated")
    assert offices.states(number) == [cancelled, ("UD093", "sent", None)]
    assert offices.group(number) == offices.groups["UD093"]


class Killed(Exception):
    """Stands for the end of a process."""


def test_a_worker_that_dies_between_acceptance_and_commit_has_no_second_effect(
    offices: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    offices.harness.tps.v2.token_writes = False
    number = offices.file()
    offices.harness.tps.v2.token_writes = True
    offices.harness.wait(minutes=2)
    before = offices.moves()

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(offices.harness.runtime.database, "run", die)
        with pytest.raises(Killed):
            deliver(offices.harness.runtime, channels=["tps_group"])
    assert offices.group(number) == offices.groups["UD075"]
    assert offices.states(number) == [("UD075", "sending", "tps-group-refused")]
    offices.go_on(minutes=5)
    assert offices.states(number) == [("UD075", "sent", None)]
    assert offices.moves() == before + 1


class Interrupted(Throttle):
    """A limit at which something happens before the third request: that is the mutation."""

    def __init__(self, limit: Throttle, act: Callable[[], None]) -> None:
        self._limit = limit
        self._act = act
        self._taken = 0

    def take(self, *, reading: bool = False) -> None:
        self._limit.take(reading=reading)
        self._taken += 1
        if self._taken == 3:
            self._act()

    def pause_if_throttled(self, failure: Failure) -> None:
        self._limit.pause_if_throttled(failure)


def test_a_dossier_that_changes_hands_while_it_is_moved_ends_where_it_belongs(
    offices: Offices,
) -> None:
    harness = offices.harness
    harness.tps.v2.token_writes = False
    number = offices.file()
    harness.tps.v2.token_writes = True
    harness.wait(minutes=2)

    def other_worker() -> None:
        offices.reassign(number, "UD093")
        deliver(harness.runtime, channels=["tps_group"])
        assert offices.group(number) == offices.groups["UD093"]

    limit = harness.runtime.throttles[TpsApi.V2]
    throttles = {**harness.runtime.throttles, TpsApi.V2: Interrupted(limit, other_worker)}
    harness.runtime.__dict__["throttles"] = throttles
    deliver(harness.runtime, channels=["tps_group"])
    assert offices.group(number) == offices.groups["UD075"]
    while deliver(harness.runtime, channels=["tps_group"]).claimed:
        pass
    assert offices.group(number) == offices.groups["UD093"]
    assert offices.states(number) == [("UD075", "sent", None), ("UD093", "sent", None)]


def test_a_token_that_may_only_read_keeps_moves_waiting_until_it_is_replaced(
    offices: Offices,
) -> None:
    offices.harness.tps.v2.token_writes = False
    number = offices.file()
    assert offices.states(number) == [("UD075", "pending", "tps-group-refused")]
    offices.harness.tps.v2.token_writes = True
    offices.go_on(minutes=2)
    assert offices.states(number) == [("UD075", "sent", None)]


def test_a_group_that_the_form_does_not_have_holds_up_nobody_else(offices: Offices) -> None:
    offices.harness.tps.close_group(PARIS_FORM, offices.groups["UD075"])
    number, other = offices.file(), offices.file("93")
    assert offices.states(number) == [("UD075", "pending", "tps-group-missing")]
    assert offices.states(other) == [("UD093", "sent", None)]
    made = offices.harness.tps.add_group(PARIS_FORM, "ud 75")
    offices.go_on(minutes=2)
    assert offices.states(number) == [("UD075", "sent", None)]
    assert offices.group(number) == made


def test_what_is_never_accepted_is_dead_and_the_mail_is_not(offices: Offices) -> None:
    offices.harness.tps.close_group(PARIS_FORM, offices.groups["UD075"])
    number = offices.file()
    offices.harness.use_up_attempts()
    offices.go_on(hours=4)
    assert offices.states(number) == [("UD075", "dead", "tps-group-missing")]
    assert len(offices.harness.mails()) == 1


def test_procedures_of_v1_are_not_followed(offices: Offices) -> None:
    offices.publish(LABELS, v1=OTHER_FORM)
    runtime = offices.harness.runtime
    followed = followed_procedures(runtime.settings, runtime.rules())
    assert PARIS_FORM in followed
    assert OTHER_FORM not in followed


def test_groups_are_compared(offices: Offices) -> None:
    runtime = offices.harness.runtime
    labels = labels_of(runtime.rules())
    assert labels == LABELS
    assert list(compare_groups(runtime, [PARIS_FORM, OTHER_FORM], labels)) == [
        Comparison(procedure=PARIS_FORM, grouped=True, missing={}, unmapped=(FIRST_GROUP,)),
        Comparison(
            procedure=OTHER_FORM, grouped=False, missing=LABELS, unmapped=(OTHER_FORM * 10 + 1,)
        ),
    ]


def test_a_form_with_one_group_for_all_is_left_alone(offices: Offices) -> None:
    number = offices.harness.file(OTHER_FORM, department="93")
    offices.harness.run()
    assert offices.states(number) == [("UD093", "cancelled", "form-without-groups")]
    assert offices.moves() == 0
