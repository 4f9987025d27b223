"""Clocks that jump, the two nights on which Paris changes its own, and outages of many hours."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from routing.calendar import PARIS
from store import deliveries, overview
from store.deliveries import DeliveryState, Filter
from tests.faults.conftest import MakeSystem
from tests.faults.safeguards import clocks, sending
from tests.faults.system import HOUR, MINUTE, System
from tests.faults.violations import Kind, Violation
from tests.faults.worker_processes import WorkerProcess, is_detail, is_mail
from tests.fixtures.smtp_faults import At, Fault

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

DAY = timedelta(days=1)


def kinds(violations: list[Violation]) -> set[Kind]:
    return {violation.kind for violation in violations}


# --- the nights on which the clock changes ----------------------------------------------------

CHANGES = {
    "spring": datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    "autumn": datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
}


def longest_wait_through(system: System, change: datetime) -> timedelta:
    """A dossier every five minutes of that night; how long the slowest was on its way."""
    system.clock.move(change - 2 * HOUR - system.clock())
    filed: dict[int, datetime] = {}
    told: dict[int, datetime] = {}
    while system.clock() < change + 2 * HOUR:
        filed[system.file(1)[0]] = system.clock()
        system.turn()
        for each in system.offices.told:
            told.setdefault(each.number, system.clock())
        system.clock.move(5 * MINUTE)
    return max(told.get(number, system.clock()) - at for number, at in filed.items())


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_night_on_which_paris_changes_its_clock_is_a_night_as_any_other(
    make_system: MakeSystem, change: datetime
) -> None:
    assert (change - MINUTE).astimezone(PARIS).dst() != change.astimezone(PARIS).dst()
    system = make_system()

    assert longest_wait_through(system, change) < 15 * MINUTE
    assert system.settle() == []


def test_control_on_the_time_of_paris_the_autumn_night_has_a_hole(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks.clocks_put_right(monkeypatch)
    system = make_system()
    clocks.universal_time(system.runtime)

    assert longest_wait_through(system, CHANGES["autumn"]) > 30 * MINUTE


# --- a clock that was wrong -------------------------------------------------------------------


def wrong_by(system: System, jump: timedelta) -> None:
    """The clock is wrong for a while, in which there is work, a failure and a death."""
    system.file(10)
    system.turn()
    system.clock.move(jump)
    system.file(10)
    system.offices.play(Fault(at=At.RCPT, reply="451 4.2.0 try later", times=3))
    WorkerProcess(system, at=4, counts=is_detail).killed()
    system.file(4)
    WorkerProcess(system, at=2, counts=is_mail).killed()
    system.turn()
    system.steady = False
    system.clock.move(-jump)


@pytest.mark.parametrize("jump", [HOUR, DAY, 400 * DAY, -HOUR, -DAY], ids=str)
def test_a_clock_that_was_wrong_costs_no_more_than_an_hour(
    make_system: MakeSystem, jump: timedelta
) -> None:
    system = make_system()
    wrong_by(system, jump)
    system.file(10)

    assert system.settle(within=HOUR) == []


def test_control_due_times_of_a_wrong_clock_are_waited_for(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks.clocks_put_right(monkeypatch)
    system = make_system()
    wrong_by(system, 400 * DAY)
    system.file(10)

    assert {Kind.MISSED, Kind.NEVER_DUE} <= kinds(system.settle(within=HOUR))


# --- outages of half a day --------------------------------------------------------------------


def tps_is_down(system: System) -> None:
    system.tps.fail_all(503)


def mail_is_down(system: System) -> None:
    system.offices.stop()


def both_are_down(system: System) -> None:
    tps_is_down(system)
    mail_is_down(system)


def one_mailbox_is_full(system: System) -> None:
    full = system.runtime.rules().units["UD002"].channels[0].address
    system.offices.play(Fault(at=At.RCPT, reply="452 4.2.2 mailbox full", recipient=full))


OUTAGES: list[Callable[[System], None]] = [
    tps_is_down,
    mail_is_down,
    both_are_down,
    one_mailbox_is_full,
]


def twelve_hours_of(system: System, outage: Callable[[System], None]) -> None:
    """An outage in which dossiers are filed, changed, decided and deleted, and then its end."""
    numbers = system.file(20)
    system.turn()
    outage(system)
    for hour in range(12):
        system.file(4)
        system.tps.change(numbers[hour], department=("75", "13", "67")[hour % 3])
        if hour % 4 == 0:
            system.tps.change(numbers[19 - hour // 4], state="closed")
            system.tps.delete(numbers[16 - hour // 4])
        system.run(HOUR, every=10 * MINUTE)
    system.tps.heal()
    system.offices.behave()
    if outage in {mail_is_down, both_are_down}:
        system.offices.start()


@pytest.mark.parametrize("outage", OUTAGES)
def test_after_twelve_hours_everything_is_caught_up_on_without_a_hand(
    make_system: MakeSystem, outage: Callable[[System], None]
) -> None:
    system = make_system()
    twelve_hours_of(system, outage)

    assert system.settle(within=5 * HOUR) == []
    assert not dead(system)
    with system.runtime.database.read() as connection:
        assert not overview.overview(connection).needy


def test_control_with_five_attempts_a_full_mailbox_costs_its_office_dossiers(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.long_retries(monkeypatch)
    system = make_system()
    twelve_hours_of(system, one_mailbox_is_full)
    system.settle(within=5 * HOUR)

    assert dead(system)


def dead(system: System) -> int:
    with system.runtime.database.read() as connection:
        return len(deliveries.listing(connection, Filter(state=DeliveryState.DEAD)))
