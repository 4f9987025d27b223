"""A TPS that fails in every way that it has failed: nothing is lost, nobody is given up."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime

import pytest

from simulator import Fault, FaultKind, Seen
from tests.faults.conftest import MakeSystem
from tests.faults.safeguards import polling
from tests.faults.system import HOUR, MINUTE, System
from tests.faults.violations import Kind

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

FAULTS: dict[str, Callable[[System], Fault]] = {
    "429-seconds": lambda _: Fault(kind=FaultKind.HTML, status=429, headers={"Retry-After": "120"}),
    "429-date": lambda system: Fault(
        kind=FaultKind.HTML,
        status=429,
        headers={"Retry-After": format_datetime(system.clock() + HOUR, usegmt=True)},
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

OF_V2: dict[str, Callable[[System], Fault]] = {
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
def case(request: pytest.FixtureRequest) -> tuple[str, Callable[[System], Fault]]:
    """A version of the API, and a way in which it fails."""
    version, how = request.param
    return version, how


@pytest.fixture
def api(case: tuple[str, Callable[[System], Fault]]) -> str:
    return case[0]


@pytest.fixture
def fault(case: tuple[str, Callable[[System], Fault]]) -> Callable[[System], Fault]:
    return case[1]


def test_a_tps_that_fails_altogether_costs_time_only(
    make_system: MakeSystem, api: str, fault: Callable[[System], Fault]
) -> None:
    system = make_system(tps_api=api, **QUICK)
    system.file(8)
    system.turn()
    system.file(8)
    system.tps.fail_all(fault(system))

    system.run(timedelta(hours=2), every=10 * MINUTE)
    system.file(8)
    system.tps.heal()

    assert system.settle() == []
    assert len(system.offices.told) == 24


def test_details_that_fail_are_set_aside_and_come_back(
    make_system: MakeSystem, api: str, fault: Callable[[System], Fault]
) -> None:
    system = make_system(tps_api=api, **QUICK)
    numbers = system.file(12)
    for number in numbers[:3]:
        system.tps.fail_detail(number, fault(system))

    system.run(HOUR, every=10 * MINUTE)
    system.tps.heal()

    assert system.settle(within=timedelta(days=1)) == []
    assert len(system.offices.told) == 12


def test_a_page_that_fails_is_read_again(
    make_system: MakeSystem, api: str, fault: Callable[[System], Fault]
) -> None:
    system = make_system(tps_api=api, **QUICK, tps_options={"fixed_page": 3})
    system.file(24)
    once = fault(system)
    once.times = 3
    system.tps.fail_all(once)

    assert system.settle() == []


def test_control_a_failed_page_taken_for_an_empty_one_loses_dossiers(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    polling.failed_pages(monkeypatch)
    system = make_system(scan_interval=7 * 86_400, tps_options={"fixed_page": 3})
    system.tps.on_request = _fail_page_once(system, "2")
    system.file(24)

    assert Kind.MISSED in {violation.kind for violation in system.settle(within=HOUR)}


def _fail_page_once(system: System, page: str) -> Callable[[Seen], None]:
    def fail(seen: Seen) -> None:
        if seen.query.get("page") == page:
            system.tps.fail_all(Fault(kind=FaultKind.HTML, status=503, times=1))
            system.tps.on_request = None

    return fail


def test_control_without_its_own_clock_a_dossier_stays_aside(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    polling.quarantine_clock(monkeypatch)
    system = make_system()
    number = system.file(4)[0]
    system.tps.fail_detail(number, 500)
    system.turn()
    system.tps.heal()

    assert Kind.NEVER_DUE in {violation.kind for violation in system.settle(within=HOUR)}
