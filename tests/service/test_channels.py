"""Units with several channels: each has rows, retries and dead letters of its own."""

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.channels import CHANNELS
from connectors.webhook.channel import WebhookChannel
from service.channels import try_channels
from service.deliver import deliver
from service.guards.breakers import POLICIES, Kind
from service.guards.limits import DELIVER_SHARE
from service.publish_rules import publish
from service.run_once import run_once
from service.sweep import sweep
from simulator import Server
from store import deliveries
from store.deliveries import Filter
from tests.fixtures import shipped_rules
from tests.fixtures.harness import Harness, make_harness
from tests.fixtures.webhook import OTHER_SECRET, Answer, Receiver, write_secrets
from tests.service.webhook_offices import Offices, offices

__all__ = ["offices"]

REST = POLICIES[Kind.ADDRESS].rest


def test_each_channel_has_its_own_row_and_all_are_told(offices: Offices) -> None:
    offices.queue(2)
    offices.work()
    assert offices.states("mail") == offices.states("webhook") == {("sent", None)}
    assert sorted(offices.paris.dossiers()) == sorted(d.number for d in offices.of("mail"))
    assert len(offices.harness.mails()) == 2
    assert offices.paris.refused == []
    assert offices.bobigny.requests == []


def test_what_fails_on_one_channel_is_retried_on_that_one_alone(offices: Offices) -> None:
    offices.paris.planned.append(Answer(status=503, handle=False))
    offices.queue(1)
    offices.work()
    assert offices.states("mail") == {("sent", None)}
    assert offices.states("webhook") == {("pending", "webhook-unavailable")}
    offices.harness.wait(minutes=2)
    offices.work()
    assert offices.states("webhook") == {("sent", None)}
    first, second = (headers for headers, _ in offices.paris.requests)
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]
    assert len(offices.harness.mails()) == 1


def test_a_channel_dies_alone_and_is_replayed_alone(offices: Offices) -> None:
    offices.paris.usual = Answer(status=404, handle=False)
    offices.queue(1)
    offices.work()
    offices.harness.use_up_attempts()
    offices.harness.wait(hours=4)
    offices.work()
    assert offices.states("webhook") == {("dead", "webhook-rejected")}
    assert offices.states("mail") == {("sent", None)}
    offices.paris.usual = Answer()
    with offices.harness.runtime.database.begin() as connection:
        wanted = Filter(channel="webhook")
        assert len(deliveries.replay(connection, wanted, offices.harness.now)) == 1
    offices.work()
    assert offices.states("webhook") == {("sent", None)}
    assert len(offices.harness.mails()) == 1


def test_a_changed_address_applies_to_what_is_not_yet_sent(offices: Offices) -> None:
    offices.paris.usual = Answer(status=503, handle=False)
    offices.queue(1)
    offices.work()
    with Receiver(clock=offices.harness.runtime.clock) as moved:
        offices.publish(UD075=moved.url)
        offices.harness.wait(minutes=2)
        offices.work()
        assert len(moved.handled) == 1
    assert offices.states("webhook") == {("sent", None)}


@pytest.mark.parametrize("digest", [None, {"at": ["08:30"], "days": "all"}])
def test_a_changed_mailbox_applies_to_what_is_not_yet_sent(
    harness: Harness, digest: dict[str, Any] | None
) -> None:
    def publish_mailbox(address: str) -> None:
        content = json.loads(shipped_rules.document())
        unit = next(each for each in content["units"] if each["code"] == "UD075")
        unit |= {"channels": [{"mail": address}]} | ({"digest": digest} if digest else {})
        document = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        with harness.runtime.database.begin() as connection:
            publish(harness.runtime, connection, document, note="tests")

    publish_mailbox("ancienne@ud075.example")
    number = harness.file()
    harness.outbox.write_text("a file in place of the folder, so that mails fail")
    harness.run()
    assert harness.told(number) == []

    harness.outbox.unlink()
    publish_mailbox("nouvelle@ud075.example")
    harness.wait(hours=24)
    harness.run()

    assert [mail["To"] for mail in harness.mails()] == ["nouvelle@ud075.example"]
    assert harness.told(number) == [("filed", "UD075")]


def test_without_a_secret_nothing_is_sent_and_it_heals_by_itself(offices: Offices) -> None:
    secret = offices.harness.runtime.settings.webhook_secrets
    assert secret is not None
    kept = (secret / "UD075").read_text()
    (secret / "UD075").unlink()
    offices.queue(1)
    offices.work()
    assert offices.states("webhook") == {("pending", "webhook-unsigned")}
    (secret / "UD075").write_text(kept)
    offices.harness.wait(minutes=2)
    offices.work()
    assert offices.states("webhook") == {("sent", None)}


def test_a_rotated_secret_is_used_at_once(offices: Offices) -> None:
    offices.queue(1)
    offices.work()
    secret = offices.harness.runtime.settings.webhook_secrets
    assert secret is not None
    old = (secret / "UD075").read_text()
    (secret / "UD075").write_text(f"{OTHER_SECRET}\n{old}")
    offices.queue(1)
    offices.work()
    (secret / "UD075").write_text(f"{OTHER_SECRET}\n")
    offices.paris.secret = OTHER_SECRET
    offices.queue(1)
    offices.work()
    assert len(offices.paris.handled) == 3
    assert offices.paris.refused == []


# --- isolation ----------------------------------------------------------------------------------


OF_BOBIGNY = 20


class OneAddressAtATime(WebhookChannel):
    addresses_at_once = 1


def test_a_hanging_endpoint_delays_neither_mail_nor_other_endpoints(offices: Offices) -> None:
    """Whoever is told is told while the endpoint of Paris is still silent."""
    offices.paris.usual = Answer(hang=True)
    offices.queue(20, bobigny=OF_BOBIGNY)
    runtime = offices.harness.runtime
    told = threading.Event()
    offices.bobigny.on_handled = lambda: (
        told.set() if len(offices.bobigny.handled) >= DELIVER_SHARE else None
    )
    batch = threading.Thread(target=deliver, args=(runtime,), kwargs={"channels": ("webhook",)})
    batch.start()
    try:
        assert told.wait(10)
        while deliver(runtime, channels=("mail",)).more:
            pass

        def rest_told() -> bool:
            # What the batch under way is about to give back is claimed at the next try.
            deliver(runtime, channels=("webhook",))
            return len(offices.bobigny.handled) >= OF_BOBIGNY

        assert wait_for(rest_told, seconds=10)
        assert batch.is_alive()
    finally:
        offices.paris.go_on.set()
        batch.join()
    assert offices.states("mail", "UD093") == offices.states("mail") == {("sent", None)}
    assert offices.states("webhook", "UD093") == {("sent", None)}


def test_control_with_one_address_at_a_time_everybody_waits(
    offices: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CHANNELS, WebhookChannel.kind, OneAddressAtATime())
    offices.paris.usual = Answer(hang=True)
    offices.queue(5, bobigny=5)
    batch = threading.Thread(
        target=deliver, args=(offices.harness.runtime,), kwargs={"channels": ("webhook",)}
    )
    batch.start()
    try:
        assert not wait_for(lambda: bool(offices.bobigny.handled), seconds=1)
    finally:
        offices.paris.go_on.set()
        batch.join()


def wait_for(condition, *, seconds: float) -> bool:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Whether something becomes true within `seconds`."""
    ticks = threading.Event()
    for _ in range(int(seconds * 50)):
        if condition():
            return True
        ticks.wait(0.02)
    return bool(condition())


def test_an_endpoint_that_asks_to_wait_is_left_alone_for_so_long(offices: Offices) -> None:
    offices.paris.usual = Answer(status=429, headers=(("Retry-After", "1800"),), handle=False)
    offices.queue(30)
    offices.work()
    asked = len(offices.paris.requests)
    assert asked <= POLICIES[Kind.ADDRESS].failures
    offices.harness.wait(minutes=29)
    offices.work()
    assert len(offices.paris.requests) == asked
    assert max(each.attempts for each in offices.of("webhook")) == 0
    offices.paris.usual = Answer()
    offices.harness.wait(minutes=2)
    offices.work()
    assert offices.states("webhook") == {("sent", None)}


def test_a_failing_endpoint_rests_and_gets_everything_when_it_is_back(offices: Offices) -> None:
    offices.paris.usual = Answer(status=500, handle=False)
    offices.queue(40)
    offices.work()
    assert len(offices.paris.requests) == POLICIES[Kind.ADDRESS].failures
    offices.paris.usual = Answer()
    offices.harness.wait(seconds=REST.total_seconds())
    offices.work()
    assert offices.states("webhook") == {("sent", None)}
    assert len(offices.paris.handled) == 40


def test_a_mail_server_that_is_down_stops_no_webhook(
    database_url: str, tps: Server, tmp_path: Path
) -> None:
    folder = write_secrets(tmp_path / "webhooks", "UD075")
    harness = make_harness(
        database_url,
        tps,
        tmp_path,
        webhook_secrets=folder,
        webhook_allow="127.0.0.1",
        smtp_url="smtp://127.0.0.1:1",
    )
    with Receiver(clock=harness.runtime.clock) as paris:
        offices = Offices(harness, paris, paris)
        offices.publish(UD075=paris.url)
        offices.queue(20)
        offices.work()
        assert offices.states("webhook") == {("sent", None)}
        assert ("sent", None) not in offices.states("mail")
    harness.runtime.close()


# --- one pass, wake-ups and trials ----------------------------------------------------------------


def test_one_pass_tells_all_channels(offices: Offices) -> None:
    offices.harness.file(department="75")
    report = run_once(offices.harness.runtime)
    assert report.delivery.sent == 2
    assert len(offices.paris.handled) == 1


def test_workers_of_a_channel_are_woken_for_it_alone(offices: Offices) -> None:
    offices.queue(1)
    assert {"deliver mail", "deliver webhook"} <= offices.harness.waker.woken.keys()
    offices.harness.waker.woken.clear()
    deliver(offices.harness.runtime, channels=("mail",))
    sweep(offices.harness.runtime)
    assert offices.harness.waker.woken["deliver webhook"] == 1
    assert offices.harness.waker.woken["deliver mail"] == 0


def test_a_trial_goes_through_every_channel_and_is_about_no_dossier(offices: Offices) -> None:
    results = {
        each.channel: each.failure for each in try_channels(offices.harness.runtime, "UD075")
    }
    assert results == {"mail": None, "webhook": None}
    (document,) = offices.paris.handled.values()
    assert document["type"] == "trial"
    assert document["data"] == {"unit": "UD075"}
    (mail,) = offices.harness.mails()
    assert "Message d’essai" in mail["Subject"]
    assert offices.harness.deliveries() == []


def test_a_trial_says_what_went_wrong(offices: Offices) -> None:
    offices.paris.usual = Answer(status=401, handle=False)
    (result,) = try_channels(offices.harness.runtime, "UD075", "webhook")
    assert result.failure is not None
    assert (result.failure.cause.value, result.failure.status) == ("webhook-rejected", 401)


def test_a_worker_that_is_told_to_stop_gives_back_what_it_did_not_begin(offices: Offices) -> None:
    offices.queue(4)
    told: list[bool] = []
    offices.paris.on_handled = lambda: told.append(True)
    offices.harness.runtime.stopping = lambda: bool(told)
    report = deliver(offices.harness.runtime, channels=("webhook",))
    assert (report.sent, report.given_back, report.more) == (1, 3, False)
    assert offices.harness.now + timedelta(0) == offices.of("webhook")[-1].next_attempt_at
