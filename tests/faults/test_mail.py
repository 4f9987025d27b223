"""A mail server that fails at every stage: each office is told once, or somebody is alarmed."""

from datetime import timedelta

import pytest

from routing.failures import Cause
from store import deliveries
from store.deliveries import DeliveryState, Filter, StoredDelivery
from tests.faults.conftest import MakeSystem
from tests.faults.safeguards import sending
from tests.faults.system import HOUR, MINUTE, System
from tests.faults.violations import Kind, Violation
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


def kinds(violations: list[Violation]) -> set[Kind]:
    return {violation.kind for violation in violations}


def stored(system: System, **wanted: object) -> list[StoredDelivery]:
    with system.runtime.database.read() as connection:
        return deliveries.listing(connection, Filter(**wanted))  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_passes_is_waited_out(make_system: MakeSystem, fault: Fault) -> None:
    system = make_system()
    system.file(20)
    system.offices.play(fault)

    assert system.settle(within=DAY) == []
    assert {told.number for told in system.offices.told} == {
        truth.number for truth in system.tps.truths
    }
    assert not stored(system, state=DeliveryState.DEAD)


def test_a_message_that_was_accepted_and_cut_off_arrives_again_as_the_same(
    make_system: MakeSystem,
) -> None:
    system = make_system()
    system.file(6)
    system.offices.play(Fault(at=At.CONTENT, drop=True, accept=True, times=4))

    assert system.settle(within=DAY) == []
    ids = [told.message_id for told in system.offices.told]
    assert (len(ids), len(set(ids))) == (10, 6)


def test_control_with_a_new_id_each_time_a_copy_cannot_be_recognised(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.stable_message_ids(monkeypatch)
    system = make_system()
    system.file(6)
    system.offices.play(Fault(at=At.CONTENT, drop=True, accept=True, times=4))

    assert Kind.UNASKED in kinds(system.settle(within=HOUR))


def test_a_server_that_is_away_for_hours_costs_time_only(make_system: MakeSystem) -> None:
    system = make_system()
    system.offices.stop()
    system.file(20)
    system.run(timedelta(hours=5), every=10 * MINUTE)
    system.offices.start()

    assert system.settle(within=DAY) == []
    assert len(system.offices.told) == 20


def test_control_failures_that_are_noted_and_forgotten_leave_offices_untold(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.mail_retries(monkeypatch)
    system = make_system()
    system.file(6)
    system.offices.play(PASSING["451-to-the-recipient"])

    assert Kind.SENT_BY_NOBODY in kinds(system.settle(within=HOUR))


def test_a_refused_recipient_is_dead_and_stops_nobody_else(make_system: MakeSystem) -> None:
    system = make_system()
    numbers = system.file(20)
    refused = _mailbox(system, "UD002")
    system.offices.play(Fault(at=At.RCPT, reply="550 5.1.1 no such user", recipient=refused))

    assert system.settle() == []
    dead = stored(system, state=DeliveryState.DEAD)
    assert {(row.unit, row.reason) for row in dead} == {
        ("UD002", Cause.MAIL_RECIPIENT_REFUSED.value)
    }
    assert len(dead) + len(system.offices.told) == len(numbers)


def test_dead_letters_are_replayed_once_however_often_they_are_asked_for(
    make_system: MakeSystem,
) -> None:
    system = make_system()
    system.file(10)
    refused = _mailbox(system, "UD002")
    system.offices.play(Fault(at=At.RCPT, reply="550 5.1.1 no such user", recipient=refused))
    assert system.settle() == []
    system.offices.behave()

    for _ in range(2):
        with system.runtime.database.begin() as connection:
            deliveries.replay(connection, Filter(state=DeliveryState.DEAD), system.clock())
        system.turn()

    assert system.settle() == []
    assert len(system.offices.told) == 10


def test_control_a_refused_recipient_that_ends_the_batch_stops_the_others(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.isolated_recipients(monkeypatch)
    system = make_system()
    system.file(6)
    refused = _mailbox(system, "UD002")
    system.offices.play(Fault(at=At.RCPT, reply="550 5.1.1 no such user", recipient=refused))

    found = system.settle(within=HOUR, tolerated=["LookupError"])
    assert Kind.UNFINISHED in kinds(found)


def test_a_server_that_asks_us_to_wait_uses_up_no_attempts(make_system: MakeSystem) -> None:
    system = make_system()
    system.file(6)
    system.offices.play(Fault(at=At.MAIL, reply="421 4.7.0 slow down", drop=True))
    system.run(timedelta(hours=3), every=2 * MINUTE)

    assert max(row.attempts for row in stored(system)) <= 1
    system.offices.behave()
    assert system.settle() == []


def test_control_where_waiting_counts_deliveries_die_of_it(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.free_waits(monkeypatch)
    system = make_system()
    system.file(6)
    system.offices.play(Fault(at=At.MAIL, reply="421 4.7.0 slow down", drop=True))
    system.run(timedelta(hours=3), every=2 * MINUTE)

    assert stored(system, state=DeliveryState.DEAD)


def _mailbox(system: System, unit: str) -> str:
    return system.runtime.rules().units[unit].channels[0].address
