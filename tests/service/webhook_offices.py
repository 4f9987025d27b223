"""Units with a webhook beside their mailbox, and the servers behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.deliver import deliver
from service.poll import poll
from service.publish_rules import publish
from service.register import register_procedures
from service.route import route
from simulator import Server
from store.deliveries import StoredDelivery
from tests.fixtures import shipped_rules
from tests.fixtures.harness import PARIS_FORM, Harness, make_harness
from tests.fixtures.webhook import Receiver, with_webhooks, write_secrets


@dataclass
class Offices:
    """A harness whose units have webhooks beside their mailboxes."""

    harness: Harness
    paris: Receiver
    bobigny: Receiver

    def publish(self, **urls: str) -> None:
        runtime = self.harness.runtime
        with runtime.database.begin() as connection:
            publish(
                runtime, connection, with_webhooks(shipped_rules.document(), **urls), note="tests"
            )

    def queue(self, paris: int, bobigny: int = 0) -> None:
        for index in range(paris + bobigny):
            self.harness.file(department="75" if index < paris else "93")
        register_procedures(self.harness.runtime)
        poll(self.harness.runtime, PARIS_FORM, full=True)
        while route(self.harness.runtime, PARIS_FORM).more:
            pass

    def work(self) -> None:
        while deliver(self.harness.runtime).more:
            pass

    def of(self, channel: str, unit: str = "UD075") -> list[StoredDelivery]:
        return self.harness.deliveries(channel=channel, unit=unit)

    def states(self, channel: str, unit: str = "UD075") -> set[tuple[str, str | None]]:
        return {(each.state, each.reason) for each in self.of(channel, unit)}


@pytest.fixture
def offices(database_url: str, tps: Server, tmp_path: Path) -> Iterator[Offices]:
    folder = write_secrets(tmp_path / "webhooks", "UD075", "UD093")
    harness = make_harness(
        database_url, tps, tmp_path, webhook_secrets=folder, webhook_allow="127.0.0.1"
    )
    clock = harness.runtime.clock
    with Receiver(clock=clock) as paris, Receiver(clock=clock) as bobigny:
        made = Offices(harness, paris, bobigny)
        made.publish(UD075=paris.url, UD093=bobigny.url)
        yield made
    harness.runtime.close()
