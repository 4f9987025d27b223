"""The queue of each task: what is slow takes no worker from what must not wait."""

from collections.abc import Mapping
from typing import Any

from config.settings import Settings
from connectors.channels import CHANNELS, DEFAULT_CHANNEL
from service import queues
from tasks import router
from tasks.celery import app, make_deliveries
from tasks.schedule import beat_entries

EVERYTHING_ON = Settings(remind_after=3, monthly_reports=True, rules_autoreload=True)
OF_TICKS = {
    "wif.check-webhooks": "poll",
    "wif.purge": "route",
    "wif.mail-reports": "deliver",
}
"""Queues of what beat sends; the rest is upkeep, which nothing long may keep waiting."""


def routed(task: str, options: Mapping[str, Any], arguments: tuple[str, ...] = ()) -> str:
    """The queue into which a message goes that is sent with these options."""
    return str(app.amqp.router.route(dict(options), task, arguments)["queue"].name)


def queue_of(*arguments: str) -> str:
    return routed(make_deliveries.name, {}, arguments)


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
    assert router.queue_of_delivery("wif.poll-procedure", (13760,)) is None


def test_beat_sends_each_task_to_the_queue_of_its_route() -> None:
    for entry in beat_entries(EVERYTHING_ON).values():
        task = entry["task"]
        assert routed(task, entry["options"]) == OF_TICKS.get(task, "upkeep"), task
