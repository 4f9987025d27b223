"""Real workers: while an endpoint hangs, mail goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.publish_rules import publish
from tests.faults.process_fixtures import MakeService
from tests.faults.service_processes import Service
from tests.faults.system import FORMS
from tests.fixtures import shipped_rules
from tests.fixtures.webhook import Answer, Receiver, with_webhooks, write_secrets

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

UNIT = "UD002"
SOON = 12.0
"""Seconds; an endpoint may hang for 15."""


@pytest.fixture
def service(make_service: MakeService, tmp_path: Path) -> Service:
    folder = write_secrets(tmp_path / "webhooks", UNIT)
    return make_service(forms=FORMS[:1], webhook_secrets=folder, webhook_allow="127.0.0.1")


@pytest.fixture
def hanging(service: Service) -> Iterator[Receiver]:
    with Receiver(clock=service.system.clock, usual=Answer(hang=True)) as receiver:
        runtime = service.system.runtime
        with runtime.database.begin() as connection:
            document = with_webhooks(shipped_rules.document(), **{UNIT: receiver.url})
            publish(runtime, connection, document, note="faults")
        yield receiver


def one_hangs(service: Service, receiver: Receiver) -> None:
    """Let one dossier be filed, and wait until its webhook hangs."""
    service.start_beat()
    service.system.file(1)
    assert service.until(lambda: receiver.requests)


def test_while_an_endpoint_hangs_every_mail_is_sent(service: Service, hanging: Receiver) -> None:
    service.start_worker()
    service.start_worker("webhooks", queues="deliver-webhook")
    one_hangs(service, hanging)
    service.system.file(20)

    assert service.until(lambda: len(service.system.offices.told) == 21, within=SOON)
    assert not hanging.handled

    hanging.go_on.set()
    assert service.until(lambda: len(hanging.handled) == 21)
    assert {*hanging.dossiers()} == {told.number for told in service.system.offices.told}


def test_control_where_one_process_has_every_queue_mail_waits(
    service: Service, hanging: Receiver
) -> None:
    service.start_worker(concurrency=1, queues="poll,route,deliver,deliver-webhook,upkeep")
    one_hangs(service, hanging)
    told = len(service.system.offices.told)
    service.system.file(20)

    assert not service.until(lambda: len(service.system.offices.told) > told + 1, within=5)
