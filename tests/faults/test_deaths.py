"""A process is killed at every point at which it touches the outside: nothing is lost."""

from collections.abc import Callable

import pytest

from service.guards.limits import FINISH_EVERY
from simulator import Seen
from tests.faults import safeguards
from tests.faults.conftest import MakeWorld
from tests.faults.mailbox import Told
from tests.faults.oracle import Kind
from tests.faults.victims import Victim, is_detail, is_list, is_mail
from tests.faults.world import FORMS, HOUR, World

LONG = 7 * 86_400

POINTS = {"at-a-page": is_list, "at-a-detail": is_detail, "at-a-message": is_mail}


def small(make_world: MakeWorld) -> World:
    """Five pages, their dossiers and their mails, and no second scan that could mend a miss."""
    world = make_world(forms=FORMS[:1], scan_interval=LONG, tps_options={"fixed_page": 4})
    world.file(20)
    return world


def copies(world: World) -> int:
    ids = [told.message_id for told in world.offices.told]
    return len(ids) - len(set(ids))


def test_killed_at_each_contact_in_turn_everything_is_done_in_the_end(
    make_world: MakeWorld,
) -> None:
    world = small(make_world)
    deaths = 0
    while Victim(world, at=deaths + 1).killed():
        deaths += 1
        assert world.ask(final=False) == []

    assert deaths >= 8
    assert copies(world) <= deaths * FINISH_EVERY
    assert world.settle() == []


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_killed_at_the_same_point_again_and_again_the_work_goes_on(
    make_world: MakeWorld, point: Callable[[Seen | Told], bool]
) -> None:
    world = small(make_world)
    for at in (1, 2, 3, 4, 5):
        Victim(world, at=at, counts=point).killed()
        assert world.ask(final=False) == []

    assert world.settle() == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_control_with_the_cursor_ahead_of_the_commit_a_page_is_lost(
    make_world: MakeWorld,
) -> None:
    world = small(make_world)
    assert Victim(world, at=4, counts=is_list, without=["cursor_in_the_commit"]).killed()

    assert Kind.MISSED in {finding.kind for finding in world.settle(within=HOUR)}


@pytest.mark.parametrize("point", [is_detail, is_mail])
def test_control_without_an_end_a_lease_outlives_its_holder(
    make_world: MakeWorld,
    monkeypatch: pytest.MonkeyPatch,
    point: Callable[[Seen | Told], bool],
) -> None:
    safeguards.ending_leases(monkeypatch)
    world = small(make_world)
    Victim(world, at=3, counts=point, without=["ending_leases"]).killed()

    assert Kind.LEASE in {finding.kind for finding in world.settle(within=HOUR)}
