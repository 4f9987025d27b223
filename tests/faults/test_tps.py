"""A TPS that fails in every way that it has failed: nothing is lost, nobody is given up."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime

import pytest

from simulator import Fault, FaultKind, Seen
from tests.faults import safeguards
from tests.faults.conftest import MakeWorld
from tests.faults.oracle import Kind
from tests.faults.world import HOUR, MINUTE, World

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

FAULTS: dict[str, Callable[[World], Fault]] = {
    "429-seconds": lambda _: Fault(kind=FaultKind.HTML, status=429, headers={"Retry-After": "120"}),
    "429-date": lambda world: Fault(
        kind=FaultKind.HTML,
        status=429,
        headers={"Retry-After": format_datetime(world.clock() + HOUR, usegmt=True)},
    ),
    "500": lambda _: Fault(kind=FaultKind.HTML, status=500),
    "503-html": lambda _: Fault(kind=FaultKind.HTML, status=503),
    "503-json": lambda _: Fault(kind=FaultKind.JSON, status=503),
    "401": lambda _: Fault(kind=FaultKind.JSON, status=401),
    "page-instead-of-json": lambda _: Fault(kind=FaultKind.HTML, status=200),
    "truncated": lambda _: Fault(kind=FaultKind.TRUNCATED),
    "reset": lambda _: Fault(kind=FaultKind.RESET),
    "hanging": lambda _: Fault(kind=FaultKind.HANG),
    "oversized": lambda _: Fault(kind=FaultKind.OVERSIZED),
    "malformed": lambda _: Fault(kind=FaultKind.MALFORMED),
}

OF_V2: dict[str, Callable[[World], Fault]] = {
    "429-text": lambda _: Fault(kind=FaultKind.TEXT, status=429, headers={"Retry-After": "120"}),
    "403": lambda _: Fault(kind=FaultKind.JSON, status=403),
    "timeout-in-200": lambda _: Fault(kind=FaultKind.ERRORS, code="timeout"),
    "error-in-200": lambda _: Fault(kind=FaultKind.ERRORS, code="internal_server_error"),
    "null-page": lambda _: Fault(kind=FaultKind.NULL_PAGE),
}
"""What v2 has besides."""

QUICK = {"tps_read_timeout": 0.05, "tps_max_bytes": 200_000}


CASES = [
    *(pytest.param(("v1", how), id=f"v1-{name}") for name, how in FAULTS.items()),
    *(pytest.param(("v2", how), id=f"v2-{name}") for name, how in (FAULTS | OF_V2).items()),
]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[str, Callable[[World], Fault]]:
    """A version of the API, and a way in which it fails."""
    version, how = request.param
    return version, how


@pytest.fixture
def api(case: tuple[str, Callable[[World], Fault]]) -> str:
    return case[0]


@pytest.fixture
def fault(case: tuple[str, Callable[[World], Fault]]) -> Callable[[World], Fault]:
    return case[1]


def test_a_tps_that_fails_altogether_costs_time_only(
    make_world: MakeWorld, api: str, fault: Callable[[World], Fault]
) -> None:
    world = make_world(tps_api=api, **QUICK)
    world.file(8)
    world.turn()
    world.file(8)
    world.tps.fail_all(fault(world))

    world.run(timedelta(hours=2), every=10 * MINUTE)
    world.file(8)
    world.tps.heal()

    assert world.settle() == []
    assert len(world.offices.told) == 24


def test_details_that_fail_are_set_aside_and_come_back(
    make_world: MakeWorld, api: str, fault: Callable[[World], Fault]
) -> None:
    world = make_world(tps_api=api, **QUICK)
    numbers = world.file(12)
    for number in numbers[:3]:
        world.tps.fail_detail(number, fault(world))

    world.run(HOUR, every=10 * MINUTE)
    world.tps.heal()

    assert world.settle(within=timedelta(days=1)) == []
    assert len(world.offices.told) == 12


def test_a_page_that_fails_is_read_again(
    make_world: MakeWorld, api: str, fault: Callable[[World], Fault]
) -> None:
    world = make_world(tps_api=api, **QUICK, tps_options={"fixed_page": 3})
    world.file(24)
    once = fault(world)
    once.times = 3
    world.tps.fail_all(once)

    assert world.settle() == []


def test_control_a_failed_page_taken_for_an_empty_one_loses_dossiers(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeguards.failed_pages(monkeypatch)
    world = make_world(scan_interval=7 * 86_400, tps_options={"fixed_page": 3})
    world.tps.on_request = _fail_page_once(world, "2")
    world.file(24)

    assert Kind.MISSED in {finding.kind for finding in world.settle(within=HOUR)}


def _fail_page_once(world: World, page: str) -> Callable[[Seen], None]:
    def fail(seen: Seen) -> None:
        if seen.query.get("page") == page:
            world.tps.fail_all(Fault(kind=FaultKind.HTML, status=503, times=1))
            world.tps.on_request = None

    return fail


def test_control_without_its_own_clock_a_dossier_stays_aside(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeguards.quarantine_clock(monkeypatch)
    world = make_world()
    number = world.file(4)[0]
    world.tps.fail_detail(number, 500)
    world.turn()
    world.tps.heal()

    assert Kind.NEVER_DUE in {finding.kind for finding in world.settle(within=HOUR)}
