"""Real workers, killed with SIGKILL at the named points of two hundred dossiers' way."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from service.guards.limits import FINISH_EVERY
from simulator import Seen
from store.models import Dossier
from tests.faults.office_server import Told
from tests.faults.process_fixtures import MakeService
from tests.faults.service_processes import Interventions, Service
from tests.faults.system import System
from tests.faults.violations import Kind
from tests.faults.worker_processes import Contact, is_detail, is_list, is_mail

DOSSIERS = 200
PAGE = 20


def between_pages(system: System) -> Contact:
    """The second page is asked for; those behind it are stored."""
    return lambda what: is_list(what) and isinstance(what, Seen) and what.query["page"] == "2"


def after_the_page_commit(system: System) -> Contact:
    """The first request after a page was stored, and those that follow."""

    def stored(what: Seen | Told) -> bool:
        with system.runtime.database.read() as connection:
            count = connection.scalar(select(func.count()).select_from(Dossier)) or 0
        return isinstance(what, Seen) and count > 0

    return stored


def after_the_claim(system: System) -> Contact:
    """A dossier is asked for: it and others are claimed."""
    return is_detail


def after_the_send(system: System) -> Contact:
    """A message was accepted: the sender does not know, and has stored nothing."""
    return is_mail


POINTS = {
    "between-pages": (between_pages, (1, 2, 3)),
    "after-the-page-commit": (after_the_page_commit, (1, 2, 30)),
    "after-the-claim": (after_the_claim, (1, 60, 130)),
    "after-the-send": (after_the_send, (1, 60, 130)),
}


def intervene_three_times(
    service: Service, point: Contact, occasions: tuple[int, ...]
) -> Interventions:
    first, second, third = occasions
    interventions: dict[int, Callable[[], bool]] = {
        first: service.kill,
        second: service.kill_children,
        third: service.kill,
    }
    return Interventions(service.system, point, interventions)


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_a_named_point_loses_nothing(
    make_service: MakeService, point: str
) -> None:
    service = make_service(tps_options={"fixed_page": PAGE})
    make_contact, occasions = POINTS[point]
    interventions = intervene_three_times(service, make_contact(service.system), occasions)
    service.system.file(DOSSIERS)
    service.start_worker()
    service.start_beat()

    assert service.until(lambda: interventions.done == len(occasions))
    assert service.settle() == []
    told = service.system.offices.told
    assert len(told) - len({each.message_id for each in told}) <= service.deaths * 2 * FINISH_EVERY
    assert {each.number for each in told} == {truth.number for truth in service.system.tps.truths}


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_control_without_the_sweep_what_a_killed_worker_held_stays_undone(
    make_service: MakeService,
) -> None:
    service = make_service(without=["sweep"])
    interventions = Interventions(service.system, is_detail, {1: service.kill})
    service.system.file(20)
    service.start_worker()
    service.start_beat()
    assert service.until(lambda: interventions.done == 1)
    service.until(lambda: False, within=0.5)
    served = service.system.tps.served

    assert service.until(lambda: service.system.tps.served >= served + 6)
    assert Kind.UNSETTLED in {violation.kind for violation in service.system.check()}
