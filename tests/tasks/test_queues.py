"""The queue of each delivery: a channel whose servers hang takes no worker from another."""

from connectors.channels import CHANNELS, DEFAULT_CHANNEL
from service import queues
from tasks.celery import app, make_deliveries


def queue_of(*arguments: str) -> str:
    options = app.amqp.router.route({}, make_deliveries.name, arguments)
    return str(options["queue"].name)


def test_every_channel_has_a_queue_of_its_own() -> None:
    found = {kind: queue_of(kind) for kind in CHANNELS}
    assert found.pop(DEFAULT_CHANNEL) == "deliver"
    assert found == {kind: f"deliver-{kind}" for kind in found}
    found[DEFAULT_CHANNEL] = "deliver"
    assert set(found.values()) <= set(queues.ALL)


def test_a_message_of_the_version_before_means_mail() -> None:
    assert DEFAULT_CHANNEL == "mail"
    assert queue_of() == "deliver"


def test_other_tasks_are_not_routed_by_their_arguments() -> None:
    assert queues.of_delivery("wif.poll-procedure", (13760,)) is None
