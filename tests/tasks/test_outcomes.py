"""A task whose work failed for a reason outside says so, with a code: Flower shows it as failed."""

from collections.abc import Iterator

import pytest

from service.guards.breakers import TPS
from tasks.celery import WorkFailed, make_deliveries, poll_procedure, process, route_dossiers
from tests.fixtures.harness import PARIS_FORM, Harness


@pytest.fixture
def ready(harness: Harness) -> Iterator[Harness]:
    harness.register()
    with process.using(harness.runtime):
        yield harness


def test_what_goes_well_succeeds(ready: Harness) -> None:
    ready.file()
    poll_procedure(PARIS_FORM)
    route_dossiers(PARIS_FORM)
    make_deliveries()
    assert len(ready.mails()) == 1


def test_a_poll_that_tps_did_not_answer_has_failed(ready: Harness) -> None:
    ready.tps.fail_all(503)
    with pytest.raises(WorkFailed, match=r"^tps-unavailable$"):
        poll_procedure(PARIS_FORM)


def test_a_poll_while_tps_is_left_alone_has_failed(ready: Harness) -> None:
    ready.tps.fail_all(503)
    for _ in range(3):
        ready.wait(hours=1)
        ready.runtime.breakers.failed(TPS)
    with pytest.raises(WorkFailed, match=r"^resting$"):
        poll_procedure(PARIS_FORM)


def test_dossiers_that_cannot_be_read_and_mails_that_cannot_be_sent(ready: Harness) -> None:
    bad, _good = ready.file(), ready.file()
    poll_procedure(PARIS_FORM)
    ready.tps.fail_detail(bad, 500)
    with pytest.raises(WorkFailed, match=r"^tps-unavailable$"):
        route_dossiers(PARIS_FORM)
    ready.outbox.parent.mkdir(exist_ok=True)
    ready.outbox.write_text("no folder")
    with pytest.raises(WorkFailed, match=r"^mail-unwritable$"):
        make_deliveries()
