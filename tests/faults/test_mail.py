"""A mail server that fails at every stage: each office is told once, or somebody is alarmed."""

from datetime import timedelta

import pytest

from routing.failures import Cause
from store import deliveries
from store.deliveries import DeliveryState, Filter, StoredDelivery
from tests.faults import safeguards
from tests.faults.conftest import MakeWorld
from tests.faults.oracle import Finding, Kind
from tests.faults.world import HOUR, MINUTE, World
from tests.fixtures.smtp_faults import At, Fault

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

DAY = timedelta(days=1)

PASSING = {
    "451-to-the-recipient": Fault(at=At.RCPT, reply="451 4.7.1 greylisted", times=30),
    "450-to-the-message": Fault(at=At.CONTENT, reply="450 4.2.0 try later", times=30),
    "421-at-the-greeting": Fault(at=At.GREETING, reply="421 4.3.2 busy", drop=True, times=5),
    "554-at-the-greeting": Fault(at=At.GREETING, reply="554 5.3.2 no service", times=5),
    "421-to-the-sender": Fault(at=At.MAIL, reply="421 4.7.0 slow down", drop=True, times=5),
    "dropped-at-the-greeting": Fault(at=At.GREETING, drop=True, times=5),
    "dropped-before-the-message": Fault(at=At.DATA, drop=True, times=5),
    "dropped-with-the-message": Fault(at=At.CONTENT, drop=True, times=5),
    "accepted-and-dropped": Fault(at=At.CONTENT, drop=True, accept=True, times=5),
}


def kinds(findings: list[Finding]) -> set[Kind]:
    return {finding.kind for finding in findings}


def stored(world: World, **wanted: object) -> list[StoredDelivery]:
    with world.runtime.database.read() as connection:
        return deliveries.listing(connection, Filter(**wanted))  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_passes_is_waited_out(make_world: MakeWorld, fault: Fault) -> None:
    world = make_world()
    world.file(20)
    world.offices.play(fault)

    assert world.settle(within=DAY) == []
    assert {told.number for told in world.offices.told} == {
        truth.number for truth in world.tps.truths
    }
    assert not stored(world, state=DeliveryState.DEAD)


def test_a_message_that_was_accepted_and_cut_off_arrives_again_as_the_same(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    world.file(6)
    world.offices.play(Fault(at=At.CONTENT, drop=True, accept=True, times=4))

    assert world.settle(within=DAY) == []
    ids = [told.message_id for told in world.offices.told]
    assert (len(ids), len(set(ids))) == (10, 6)


def test_control_with_a_new_id_each_time_a_copy_cannot_be_recognised(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeguards.stable_message_ids(monkeypatch)
    world = make_world()
    world.file(6)
    world.offices.play(Fault(at=At.CONTENT, drop=True, accept=True, times=4))

    assert Kind.UNASKED in kinds(world.settle(within=HOUR))


def test_a_server_that_is_away_for_hours_costs_time_only(make_world: MakeWorld) -> None:
    world = make_world()
    world.offices.stop()
    world.file(20)
    world.run(timedelta(hours=5), every=10 * MINUTE)
    world.offices.start()

    assert world.settle(within=DAY) == []
    assert len(world.offices.told) == 20


def test_control_failures_that_are_noted_and_forgotten_leave_offices_untold(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeguards.mail_retries(monkeypatch)
    world = make_world()
    world.file(6)
    world.offices.play(PASSING["451-to-the-recipient"])

    assert Kind.SENT_BY_NOBODY in kinds(world.settle(within=HOUR))


def test_a_refused_recipient_is_dead_and_stops_nobody_else(make_world: MakeWorld) -> None:
    world = make_world()
    numbers = world.file(20)
    refused = _mailbox(world, "UD002")
    world.offices.play(Fault(at=At.RCPT, reply="550 5.1.1 no such user", recipient=refused))

    assert world.settle() == []
    dead = stored(world, state=DeliveryState.DEAD)
    assert {(row.unit, row.reason) for row in dead} == {
        ("UD002", Cause.MAIL_RECIPIENT_REFUSED.value)
    }
    assert len(dead) + len(world.offices.told) == len(numbers)


def test_dead_letters_are_replayed_once_however_often_they_are_asked_for(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    world.file(10)
    refused = _mailbox(world, "UD002")
    world.offices.play(Fault(at=At.RCPT, reply="550 5.1.1 no such user", recipient=refused))
    assert world.settle() == []
    world.offices.behave()

    for _ in range(2):
        with world.runtime.database.begin() as connection:
            deliveries.replay(connection, Filter(state=DeliveryState.DEAD), world.clock())
        world.turn()

    assert world.settle() == []
    assert len(world.offices.told) == 10


def test_control_a_refused_recipient_that_ends_the_batch_stops_the_others(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeguards.isolated_recipients(monkeypatch)
    world = make_world()
    world.file(6)
    refused = _mailbox(world, "UD002")
    world.offices.play(Fault(at=At.RCPT, reply="550 5.1.1 no such user", recipient=refused))

    found = world.settle(within=HOUR, tolerated=["LookupError"])
    assert Kind.UNFINISHED in kinds(found)


def test_a_server_that_asks_us_to_wait_uses_up_no_attempts(make_world: MakeWorld) -> None:
    world = make_world()
    world.file(6)
    world.offices.play(Fault(at=At.MAIL, reply="421 4.7.0 slow down", drop=True))
    world.run(timedelta(hours=3), every=2 * MINUTE)

    assert max(row.attempts for row in stored(world)) <= 1
    world.offices.behave()
    assert world.settle() == []


def test_control_where_waiting_counts_deliveries_die_of_it(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeguards.free_waits(monkeypatch)
    world = make_world()
    world.file(6)
    world.offices.play(Fault(at=At.MAIL, reply="421 4.7.0 slow down", drop=True))
    world.run(timedelta(hours=3), every=2 * MINUTE)

    assert stored(world, state=DeliveryState.DEAD)


def _mailbox(world: World, unit: str) -> str:
    return world.runtime.rules().units[unit].channels[0].address
