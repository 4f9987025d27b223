"""Turns: what was just filed is not kept waiting by what is being caught up on."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from service.guards.limits import DELIVER_BATCH, ROUTE_BATCH
from service.poll import poll
from service.route import route
from simulator import Server
from store.audit.log import Step
from store.models import AuditLine
from tasks.time_slice import deliver_slice, route_slice
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness, make_harness

BACKLOG = 3 * ROUTE_BATCH
LONG = timedelta(seconds=60)
NO_TIME = timedelta(0)


@pytest.fixture
def behind(database_url: str, tps: Server, tmp_path: Path) -> Iterator[Harness]:
    """A service that has just found a backlog in one form, and knows all of the other one."""
    harness = make_harness(database_url, tps, tmp_path, tps_page_size=100)
    harness.register()
    poll(harness.runtime, OTHER_FORM)
    harness.tps.populate([harness.form()], BACKLOG, until=harness.now, oddities=False)
    poll(harness.runtime, PARIS_FORM)
    yield harness
    harness.runtime.close()


def newcomer(harness: Harness) -> int:
    """A dossier that was filed with the other form and listed a minute later."""
    harness.wait(minutes=1)
    number = harness.file(OTHER_FORM)
    poll(harness.runtime, OTHER_FORM)
    return number


def came_first(harness: Harness, step: Step, number: int) -> bool:
    """Whether the first line of a step tells of the newcomer."""
    first = select(AuditLine.dossier_ref).where(AuditLine.step == step.value).order_by(AuditLine.id)
    with harness.runtime.database.read() as connection:
        found = connection.execute(first.limit(1)).scalar_one()
    return found in harness.runtime.audit.refs(OTHER_FORM, number)


def test_a_newcomer_of_another_form_is_routed_before_the_backlog(behind: Harness) -> None:
    number = newcomer(behind)
    report = route_slice(behind.runtime, PARIS_FORM, lasts=LONG)
    assert (report.claimed, report.more) == (BACKLOG + 1, False)
    assert came_first(behind, Step.ROUTED, number)


def test_without_a_turn_the_backlog_would_go_first(behind: Harness) -> None:
    number = newcomer(behind)
    for procedure in (PARIS_FORM, OTHER_FORM):
        route(behind.runtime, procedure)
    assert not came_first(behind, Step.ROUTED, number)


def test_a_newcomer_is_told_of_before_a_backlog_that_was_routed_earlier(behind: Harness) -> None:
    route(behind.runtime, PARIS_FORM)
    number = newcomer(behind)
    route_slice(behind.runtime, PARIS_FORM, lasts=LONG)
    assert deliver_slice(behind.runtime, lasts=LONG).sent == BACKLOG + 1
    assert came_first(behind, Step.SENT, number)


def test_a_turn_that_has_no_time_begins_nothing_and_says_that_there_is_more(
    behind: Harness,
) -> None:
    routed = route_slice(behind.runtime, PARIS_FORM, lasts=NO_TIME)
    delivered = deliver_slice(behind.runtime, lasts=NO_TIME)
    assert (routed.claimed, routed.more) == (0, True)
    assert (delivered.claimed, delivered.more) == (0, True)


def test_a_full_batch_lets_another_process_join_in(behind: Harness) -> None:
    behind.waker.woken.clear()
    route(behind.runtime, PARIS_FORM)
    assert behind.waker.woken[f"route {PARIS_FORM}"] == 1

    route_slice(behind.runtime, PARIS_FORM, lasts=LONG)
    behind.waker.woken.clear()
    deliver_slice(behind.runtime, lasts=LONG)
    assert behind.waker.woken["deliver mail"] == BACKLOG // DELIVER_BATCH


def test_a_batch_that_is_not_full_wakes_nobody_to_read(behind: Harness) -> None:
    newcomer(behind)
    behind.waker.woken.clear()
    route(behind.runtime, OTHER_FORM)
    assert behind.waker.woken[f"route {OTHER_FORM}"] == 0


def test_a_stopped_form_keeps_no_turn_busy(behind: Harness) -> None:
    newcomer(behind)
    behind.tps.fail_procedure(OTHER_FORM, 401)
    report = route_slice(behind.runtime, PARIS_FORM, lasts=LONG)
    assert (report.routed, report.more) == (BACKLOG, False)
    behind.tps.heal()
