"""Real workers, killed with SIGKILL at the named points of two hundred dossiers' way."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from service.guards.limits import FINISH_EVERY
from simulator import Seen
from store.models import Dossier
from tests.faults.live import MakeService
from tests.faults.mailbox import Told
from tests.faults.oracle import Kind
from tests.faults.service import Service, Strikes
from tests.faults.victims import Contact, is_detail, is_list, is_mail
from tests.faults.world import World

DOSSIERS = 200
PAGE = 20


def between_pages(world: World) -> Contact:
    """The second page is asked for; those behind it are stored."""
    return lambda what: is_list(what) and isinstance(what, Seen) and what.query["page"] == "2"


def after_the_page_commit(world: World) -> Contact:
    """The first request after a page was stored, and those that follow."""

    def stored(what: Seen | Told) -> bool:
        with world.runtime.database.read() as connection:
            count = connection.scalar(select(func.count()).select_from(Dossier)) or 0
        return isinstance(what, Seen) and count > 0

    return stored


def after_the_claim(world: World) -> Contact:
    """A dossier is asked for: it and others are claimed."""
    return is_detail


def after_the_send(world: World) -> Contact:
    """A message was accepted: the sender does not know, and has stored nothing."""
    return is_mail


POINTS = {
    "between-pages": (between_pages, (1, 2, 3)),
    "after-the-page-commit": (after_the_page_commit, (1, 2, 30)),
    "after-the-claim": (after_the_claim, (1, 60, 130)),
    "after-the-send": (after_the_send, (1, 60, 130)),
}


def strike_three_times(service: Service, point: Contact, occasions: tuple[int, ...]) -> Strikes:
    first, second, third = occasions
    strikes: dict[int, Callable[[], bool]] = {
        first: service.kill,
        second: service.kill_children,
        third: service.kill,
    }
    return Strikes(service.world, point, strikes)


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_a_named_point_loses_nothing(
    make_service: MakeService, point: str
) -> None:
    service = make_service(tps_options={"fixed_page": PAGE})
    make_contact, occasions = POINTS[point]
    strikes = strike_three_times(service, make_contact(service.world), occasions)
    service.world.file(DOSSIERS)
    service.start_worker()
    service.start_beat()

    assert service.until(lambda: strikes.done == len(occasions))
    assert service.settle() == []
    told = service.world.offices.told
    assert len(told) - len({each.message_id for each in told}) <= service.deaths * 2 * FINISH_EVERY
    assert {each.number for each in told} == {truth.number for truth in service.world.tps.truths}


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_control_without_the_sweep_what_a_killed_worker_held_stays_undone(
    make_service: MakeService,
) -> None:
    service = make_service(without=["sweep"])
    strikes = Strikes(service.world, is_detail, {1: service.kill})
    service.world.file(20)
    service.start_worker()
    service.start_beat()
    assert service.until(lambda: strikes.done == 1)
    service.until(lambda: False, within=0.5)
    served = service.world.tps.served

    assert service.until(lambda: service.world.tps.served >= served + 6)
    assert Kind.UNSETTLED in {finding.kind for finding in service.world.ask()}
