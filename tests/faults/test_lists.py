"""Lists that move while they are read, dossiers that break the protocol, polls that repeat."""

import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import cycle

import pytest

from service.poll import PollOutcome, poll
from service.register import register_procedures
from simulator import Seen, SimulatedForm
from simulator.dossier import DEFECTS
from tests.faults.conftest import MakeSystem
from tests.faults.safeguards import leases, polling
from tests.faults.system import FORMS, HOUR, STUDENT, System
from tests.faults.violations import Kind, Violation

both_versions = pytest.mark.parametrize("api", ["v1", "v2"])
"""The same scenario and the same invariants, whichever version of its API TPS is read by."""

sqlite_only = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

PAGE = 12
"""Rows of a page; the deposits of the 2018 servers came in such pages."""

PAGES = 5

LONG = 7 * 86_400
"""Seconds between two full scans where the next one must not mend what this one missed."""


def kinds(violations: list[Violation]) -> set[Kind]:
    return {violation.kind for violation in violations}


# --- malformed dossiers -----------------------------------------------------------------------


def with_one_malformed_each(system: System) -> list[int]:
    """Fill the first form's page of PAGE rows, the second's and so on, and spoil the first
    dossier of the first, the second of the second and so on."""
    spoilt = []
    for position, form in enumerate(system.forms):
        numbers = system.file(PAGE, forms=[form])
        spoilt.append(numbers[position])
    for number, defect in zip(spoilt, cycle(DEFECTS), strict=False):
        system.tps.change(number, defect=defect)
    return spoilt


PUBLIC = (19147, 19142, 16146, 16148, 12858, 12859, 22884, 22885, 18274, 18275, 17034, 19561)
MANY = tuple(SimulatedForm(number, "75", STUDENT) for number in PUBLIC)


@sqlite_only
@both_versions
def test_a_malformed_dossier_in_each_position_of_a_page_stops_no_other(
    make_system: MakeSystem, api: str
) -> None:
    system = make_system(forms=MANY, tps_api=api)
    spoilt = with_one_malformed_each(system)
    system.turn()

    assert len(system.offices.told) == PAGE * len(MANY) - len(spoilt)
    assert {told.number for told in system.offices.told}.isdisjoint(spoilt)

    for number in spoilt:
        system.tps.change(number, defect=None)
    assert system.settle() == []
    assert len(system.offices.told) == PAGE * len(MANY)


@sqlite_only
def test_control_where_a_malformed_dossier_ends_its_batch_the_others_wait_for_ever(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    polling.isolated_reading(monkeypatch)
    system = make_system(forms=MANY[:3])
    with_one_malformed_each(system)

    found = system.settle(within=HOUR, tolerated=["LookupError"])
    assert Kind.UNSETTLED in kinds(found)


# --- lists that move --------------------------------------------------------------------------


def delete_some(system: System, page: int) -> None:
    """Before a page is answered, delete a dossier before it, one on it and one behind it."""
    numbers = [truth.number for truth in system.tps.truths]
    for position in (PAGE * (page - 2), PAGE * (page - 1) + 3, PAGE * page + 1):
        if 0 <= position < len(numbers):
            system.tps.delete(numbers[position])


def add_some(system: System, page: int) -> None:
    """Before a page is answered, let more dossiers be filed than a page holds."""
    system.file(PAGE + 1)


def change_some(system: System, page: int) -> None:
    """Before a page is answered, change a dossier at its beginning: unsorted lists move it, and
    so do those that are sorted by modification."""
    numbers = [truth.number for truth in system.tps.truths]
    for position in (PAGE * (page - 1), PAGE * page):
        if position < len(numbers):
            system.tps.change(numbers[position], department="75")


def delete_many_and_add(system: System, page: int) -> None:
    """Before a page is answered, delete a whole page before it and file another."""
    for truth in system.tps.truths[:PAGE]:
        system.tps.delete(truth.number)
    system.file(PAGE)


def hide_some(system: System, page: int) -> None:
    """Before a page is answered, hide a dossier that is on it, and show the one hidden before."""
    hidden = system.tps.state.open(system.forms[0]).hidden.by_number
    for number in [*hidden]:
        system.tps.restore(number)
    system.tps.hide(system.tps.truths[PAGE * (page - 1) % len(system.tps) + 2].number)


Move = Callable[[System, int], None]
MOVES = [delete_some, add_some, change_some, delete_many_and_add]


def on_each_page(system: System, move: Move) -> None:
    """Let `move` happen before each answer to a list, twice for each number of a page."""
    left = dict.fromkeys(range(1, PAGES + 2), 2)
    page = 0

    def listed(seen: Seen) -> None:
        nonlocal page
        page = page_of(seen, page)
        if left.get(page, 0) > 0:
            left[page] -= 1
            move(system, page)

    system.tps.on_request = listed


def page_of(seen: Seen, before: int) -> int:
    """The number of a page of a list: v1 asks for it, v2 for what comes after the one before;
    0 for any other request."""
    if seen.operation is None:
        return int(seen.query.get("page", 0))
    if seen.operation != "DossierPage":
        return 0
    return 1 if seen.variables.get("after") is None else before + 1


@sqlite_only
@pytest.mark.parametrize(("api", "era"), [("v1", "2018"), ("v1", "2021"), ("v2", "2021")])
@pytest.mark.parametrize("move", [*MOVES, hide_some])
def test_a_list_that_moves_while_it_is_read_hides_nothing(
    make_system: MakeSystem, move: Move, api: str, era: str
) -> None:
    system = make_system(forms=FORMS[:1], tps_api=api, tps_options={"era": era, "fixed_page": PAGE})
    system.file(PAGE * PAGES)
    on_each_page(system, move)

    assert system.settle(within=timedelta(hours=12)) == []


@sqlite_only
@both_versions
def test_one_scan_of_a_sorted_list_from_which_rows_vanish_misses_none(
    make_system: MakeSystem, api: str
) -> None:
    system = make_system(
        forms=FORMS[:1], tps_api=api, scan_interval=LONG, tps_options={"fixed_page": PAGE}
    )
    system.file(PAGE * PAGES)
    on_each_page(system, delete_some)
    system.turn()

    assert Kind.MISSED not in kinds(system.check())


@sqlite_only
def test_control_a_scan_that_walks_from_the_first_page_misses_rows(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    polling.walk_from_the_end(monkeypatch)
    system = make_system(forms=FORMS[:1], scan_interval=LONG, tps_options={"fixed_page": PAGE})
    system.file(PAGE * PAGES)
    on_each_page(system, delete_some)
    system.turn()

    assert Kind.MISSED in kinds(system.check())


@sqlite_only
@pytest.mark.parametrize(
    ("api", "era", "move"), [("v1", "2018", change_some), ("v2", "2021", hide_some)]
)
def test_control_absence_taken_for_deletion_loses_dossiers(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch, api: str, era: str, move: Move
) -> None:
    polling.repeated_absence(monkeypatch)
    system = make_system(
        forms=FORMS[:1],
        tps_api=api,
        scan_interval=LONG,
        tps_options={"era": era, "fixed_page": PAGE},
    )
    system.file(PAGE * PAGES)
    system.turn()
    on_each_page(system, move)
    system.clock.move(timedelta(days=8))
    system.turn()

    assert Kind.GONE_THOUGH_LISTED in kinds(system.check())


@sqlite_only
@both_versions
def test_what_is_deleted_is_gone_with_a_reason_and_what_comes_back_is_routed(
    make_system: MakeSystem, api: str
) -> None:
    system = make_system(tps_api=api)
    numbers = system.file(12)
    assert system.settle() == []
    kept = [system.tps.dossier(number) for number in numbers[:4]]
    for number in numbers[:6]:
        system.tps.delete(number)
    assert system.settle() == []

    for dossier in kept:
        system.tps.add(
            dossier.form,
            number=dossier.number,
            filed_at=dossier.filed_at,
            changed_at=system.clock(),
            department=dossier.department,
        )
    assert system.settle() == []
    assert len(system.offices.told) == 12


# --- polls that repeat ------------------------------------------------------------------------


@both_versions
def test_a_poll_that_is_repeated_has_one_effect(make_system: MakeSystem, api: str) -> None:
    system = make_system(tps_api=api)
    system.file(20)
    for _ in range(5):
        for form in system.forms:
            system.workers.poll(form.procedure)
        system.workers.tick()
    system.workers.work()

    assert system.settle() == []
    assert len(system.offices.told) == 20


def poll_all_at_once(system: System, pollers: int = 6) -> list[PollOutcome]:
    """Several workers poll one procedure, beginning at the same moment."""
    ready = threading.Barrier(pollers, timeout=20)
    outcomes: list[PollOutcome] = []

    def poll_once() -> None:
        runtime = system.second_runtime()
        with runtime.database.read():
            ready.wait()
        outcomes.append(poll(runtime, system.forms[0].procedure, full=True).outcome)
        runtime.close()

    threads = [threading.Thread(target=poll_once) for _ in range(pollers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@both_versions
def test_polls_at_the_same_moment_have_one_effect(make_system: MakeSystem, api: str) -> None:
    system = make_system(forms=FORMS[:1], tps_api=api, tps_options={"fixed_page": PAGE})
    register_procedures(system.runtime)
    system.file(PAGE * PAGES)

    outcomes = poll_all_at_once(system)

    assert len(outcomes) == 6
    assert PollOutcome.DONE in outcomes
    assert set(outcomes) <= {PollOutcome.DONE, PollOutcome.BUSY}
    assert system.settle() == []


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
@both_versions
def test_control_polls_without_a_lease_see_dossiers_twice(
    make_system: MakeSystem, monkeypatch: pytest.MonkeyPatch, api: str
) -> None:
    leases.procedure_leases(monkeypatch)
    system = make_system(forms=FORMS[:1], tps_api=api, tps_options={"fixed_page": PAGE})
    register_procedures(system.runtime)
    system.file(PAGE * PAGES)
    together = threading.Barrier(6, timeout=20)
    polling.meet_before_storing(monkeypatch, together)

    poll_all_at_once(system)

    assert Kind.AUDIT_REPEATED in kinds(system.settle(within=HOUR))
