"""A process is killed at every point at which it touches the outside: nothing is lost."""

from collections.abc import Callable

import pytest

from service.guards.limits import FINISH_EVERY
from simulator import Seen
from tests.faults.conftest import MakeSystem
from tests.faults.office_server import Told
from tests.faults.safeguards import leases
from tests.faults.system import FORMS, HOUR, System
from tests.faults.violations import Kind
from tests.faults.worker_processes import WorkerProcess, is_detail, is_list, is_mail

LONG = 7 * 86_400

POINTS = {"at-a-page": is_list, "at-a-detail": is_detail, "at-a-message": is_mail}


def small(make_system: MakeSystem) -> System:
    """Five pages, their dossiers and their mails, and no second scan that could mend a miss."""
    system = make_system(forms=FORMS[:1], scan_interval=LONG, tps_options={"fixed_page": 4})
    system.file(20)
    return system


def copies(system: System) -> int:
    ids = [told.message_id for told in system.offices.told]
    return len(ids) - len(set(ids))


def test_killed_at_each_contact_in_turn_everything_is_done_in_the_end(
    make_system: MakeSystem,
) -> None:
    system = small(make_system)
    deaths = 0
    while WorkerProcess(system, at=deaths + 1).killed():
        deaths += 1
        assert system.check(final=False) == []

    assert deaths >= 8
    assert copies(system) <= deaths * FINISH_EVERY
    assert system.settle() == []


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_killed_at_the_same_point_again_and_again_the_work_goes_on(
    make_system: MakeSystem, point: Callable[[Seen | Told], bool]
) -> None:
    system = small(make_system)
    for at in (1, 2, 3, 4, 5):
        WorkerProcess(system, at=at, counts=point).killed()
        assert system.check(final=False) == []

    assert system.settle() == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_control_with_the_cursor_ahead_of_the_commit_a_page_is_lost(
    make_system: MakeSystem,
) -> None:
    system = small(make_system)
    assert WorkerProcess(system, at=4, counts=is_list, without=["cursor_in_the_commit"]).killed()

    assert Kind.MISSED in {violation.kind for violation in system.settle(within=HOUR)}


@pytest.mark.parametrize("point", [is_detail, is_mail])
def test_control_without_an_end_a_lease_outlives_its_holder(
    make_system: MakeSystem,
    monkeypatch: pytest.MonkeyPatch,
    point: Callable[[Seen | Told], bool],
) -> None:
    leases.ending_leases(monkeypatch)
    system = small(make_system)
    WorkerProcess(system, at=3, counts=point, without=["ending_leases"]).killed()

    assert Kind.LEASE in {violation.kind for violation in system.settle(within=HOUR)}
