"""Clocks that jump, the two nights on which Paris changes its own, and outages of many hours."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from routing.calendar import PARIS
from store import deliveries, overview
from store.deliveries import DeliveryState, Filter
from tests.faults import safeguards
from tests.faults.conftest import MakeWorld
from tests.faults.oracle import Finding, Kind
from tests.faults.victims import Victim, is_detail, is_mail
from tests.faults.world import HOUR, MINUTE, World
from tests.fixtures.smtp_faults import At, Fault

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

DAY = timedelta(days=1)


def kinds(findings: list[Finding]) -> set[Kind]:
    return {finding.kind for finding in findings}


# --- the nights on which the clock changes ----------------------------------------------------

CHANGES = {
    "spring": datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    "autumn": datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
}


def longest_wait_through(world: World, change: datetime) -> timedelta:
    """A dossier every five minutes of that night; how long the slowest was on its way."""
    world.clock.move(change - 2 * HOUR - world.clock())
    filed: dict[int, datetime] = {}
    told: dict[int, datetime] = {}
    while world.clock() < change + 2 * HOUR:
        filed[world.file(1)[0]] = world.clock()
        world.turn()
        for each in world.offices.told:
            told.setdefault(each.number, world.clock())
        world.clock.move(5 * MINUTE)
    return max(told.get(number, world.clock()) - at for number, at in filed.items())


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_night_on_which_paris_changes_its_clock_is_a_night_as_any_other(
    make_world: MakeWorld, change: datetime
) -> None:
    assert (change - MINUTE).astimezone(PARIS).dst() != change.astimezone(PARIS).dst()
    world = make_world()

    assert longest_wait_through(world, change) < 15 * MINUTE
    assert world.settle() == []


def test_control_on_the_time_of_paris_the_autumn_night_has_a_hole(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeguards.clocks_put_right(monkeypatch)
    world = make_world()
    safeguards.universal_time(world.runtime)

    assert longest_wait_through(world, CHANGES["autumn"]) > 30 * MINUTE


# --- a clock that was wrong -------------------------------------------------------------------


def wrong_by(world: World, jump: timedelta) -> None:
    """The clock is wrong for a while, in which there is work, a failure and a death."""
    world.file(10)
    world.turn()
    world.clock.move(jump)
    world.file(10)
    world.offices.play(Fault(at=At.RCPT, reply="451 4.2.0 try later", times=3))
    Victim(world, at=4, counts=is_detail).killed()
    world.file(4)
    Victim(world, at=2, counts=is_mail).killed()
    world.turn()
    world.steady = False
    world.clock.move(-jump)


@pytest.mark.parametrize("jump", [HOUR, DAY, 400 * DAY, -HOUR, -DAY], ids=str)
def test_a_clock_that_was_wrong_costs_no_more_than_an_hour(
    make_world: MakeWorld, jump: timedelta
) -> None:
    world = make_world()
    wrong_by(world, jump)
    world.file(10)

    assert world.settle(within=HOUR) == []


def test_control_due_times_of_a_wrong_clock_are_waited_for(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeguards.clocks_put_right(monkeypatch)
    world = make_world()
    wrong_by(world, 400 * DAY)
    world.file(10)

    assert {Kind.MISSED, Kind.NEVER_DUE} <= kinds(world.settle(within=HOUR))


# --- outages of half a day --------------------------------------------------------------------


def tps_is_down(world: World) -> None:
    world.tps.fail_all(503)


def mail_is_down(world: World) -> None:
    world.offices.stop()


def both_are_down(world: World) -> None:
    tps_is_down(world)
    mail_is_down(world)


def one_mailbox_is_full(world: World) -> None:
    full = world.runtime.rules().units["UD002"].channels[0].address
    world.offices.play(Fault(at=At.RCPT, reply="452 4.2.2 mailbox full", recipient=full))


OUTAGES: list[Callable[[World], None]] = [
    tps_is_down,
    mail_is_down,
    both_are_down,
    one_mailbox_is_full,
]


def twelve_hours_of(world: World, outage: Callable[[World], None]) -> None:
    """An outage in which dossiers are filed, changed, decided and deleted, and then its end."""
    numbers = world.file(20)
    world.turn()
    outage(world)
    for hour in range(12):
        world.file(4)
        world.tps.change(numbers[hour], department=("75", "13", "67")[hour % 3])
        if hour % 4 == 0:
            world.tps.change(numbers[19 - hour // 4], state="closed")
            world.tps.delete(numbers[16 - hour // 4])
        world.run(HOUR, every=10 * MINUTE)
    world.tps.heal()
    world.offices.behave()
    if outage in {mail_is_down, both_are_down}:
        world.offices.start()


@pytest.mark.parametrize("outage", OUTAGES)
def test_after_twelve_hours_everything_is_caught_up_on_without_a_hand(
    make_world: MakeWorld, outage: Callable[[World], None]
) -> None:
    world = make_world()
    twelve_hours_of(world, outage)

    assert world.settle(within=5 * HOUR) == []
    assert not dead(world)
    with world.runtime.database.read() as connection:
        assert not overview.overview(connection).needy


def test_control_with_five_attempts_a_full_mailbox_costs_its_office_dossiers(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeguards.long_retries(monkeypatch)
    world = make_world()
    twelve_hours_of(world, one_mailbox_is_full)
    world.settle(within=5 * HOUR)

    assert dead(world)


def dead(world: World) -> int:
    with world.runtime.database.read() as connection:
        return len(deliveries.listing(connection, Filter(state=DeliveryState.DEAD)))
