"""Webhooks under faults: each message is processed once by a receiver that drops copies."""

import os
import random
import socket
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from connectors.channels import CHANNELS
from connectors.webhook.channel import WebhookChannel
from routing.failures import TABLE, Action, Cause, Verdict
from service.channels import enable_channels
from service.guards.limits import LEASE
from service.publish_rules import publish
from simulator import SimulatedForm
from store import deliveries
from store.deliveries import Filter, StoredDelivery
from store.models import Delivery
from tests.faults.conftest import MakeSystem
from tests.faults.safeguards import sending
from tests.faults.system import FORMS, HOUR, MINUTE, System
from tests.faults.worker_processes import kill, start
from tests.fixtures import shipped_rules
from tests.fixtures.webhook import Answer, Receiver, with_webhooks, without_mail, write_secrets

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

MESSAGES = int(os.environ.get("WEBHOOK_MESSAGES", "200"))
"""Sent to the receiver of the official library; ten thousand in `make soak-webhook`."""

AT_ONCE = 1_000
"""Filed before the next ones: the more are due, the more a claim has to rank."""

DAY = timedelta(days=1)
UNIT = "UD002"
UNITS = ("UD002", "UD010", "UD013", "UD021")
"""The offices of `FORMS`."""


@pytest.fixture
def system(make_system: MakeSystem, tmp_path: Path) -> System:
    """A system whose forms all go to one office, which has a webhook."""
    return with_forms(make_system, tmp_path, FORMS[:1])


def with_forms(make_system: MakeSystem, folder: Path, forms: Sequence[SimulatedForm]) -> System:
    secrets_of = write_secrets(folder / "webhooks", *UNITS)
    return make_system(
        forms=forms, webhook_secrets=secrets_of, webhook_allow="127.0.0.1,wif.example"
    )


@pytest.fixture
def receiver(system: System) -> Iterator[Receiver]:
    with Receiver(clock=system.clock) as made:
        subscribe(system, made.url)
        yield made


def subscribe(system: System, url: str, *units: str) -> None:
    """Give the office a webhook beside its mailbox, or each of `units` one in its place."""
    with system.runtime.database.begin() as connection:
        document = with_webhooks(shipped_rules.document(), **dict.fromkeys(units or [UNIT], url))
        document = without_mail(document, *units)
        publish(system.runtime, connection, document, note="faults")


def webhooks(system: System) -> list[StoredDelivery]:
    with system.runtime.database.read() as connection:
        return deliveries.listing(connection, Filter(channel="webhook"))


def states(system: System) -> set[tuple[str, str | None]]:
    return {(each.state, each.reason) for each in webhooks(system)}


def unfinished(system: System) -> int:
    """How many webhooks are neither sent nor dead: counted, since there may be thousands."""
    waiting = Delivery.state.not_in(["sent", "dead"])
    query = select(func.count()).where(Delivery.channel == "webhook", waiting)
    with system.runtime.database.read() as connection:
        return connection.scalar(query) or 0


def settle(system: System, *, within: timedelta = 3 * DAY) -> None:
    """Let time pass until every webhook is sent or dead."""
    until = system.clock() + within
    while True:
        system.turn()
        if unfinished(system) == 0:
            return
        assert system.clock() < until, states(system)
        system.clock.move(MINUTE)


# --- an endpoint that flaps -------------------------------------------------------------------

FLAPS = (
    Answer(status=500, handle=False),
    Answer(status=503, handle=False, headers=(("Retry-After", "120"),)),
    Answer(status=429, handle=False, headers=(("Retry-After", "60"),)),
    Answer(status=302, handle=False, headers=(("Location", "https://elsewhere.example/"),)),
    Answer(drop=True, handle=False),
    Answer(drop=True),
    Answer(status=502),
)
"""The last two have taken the message in, and the sender does not know."""


def flap(receiver: Receiver, count: int, seed: int) -> None:
    chance = random.Random(seed)
    receiver.planned.extend(
        chance.choice(FLAPS) if chance.random() < 0.3 else Answer() for _ in range(count)
    )


def test_each_message_is_processed_once_and_none_is_missing(
    make_system: MakeSystem, tmp_path: Path
) -> None:
    system, numbers = with_forms(make_system, tmp_path, FORMS), list[int]()
    with Receiver(clock=system.clock) as receiver:
        # Thousands of mails beside them would double the time, and show nothing of webhooks.
        subscribe(system, receiver.url, *UNITS)
        flap(receiver, MESSAGES * 2, seed=MESSAGES)
        for filed in range(0, MESSAGES, AT_ONCE):
            numbers += system.file(min(AT_ONCE, MESSAGES - filed))
            settle(system)

    assert sorted(receiver.dossiers()) == sorted(numbers)
    assert receiver.refused == []
    assert states(system) == {("sent", None)}
    assert receiver.copies
    assert len(receiver.requests) > MESSAGES + len(receiver.copies)
    requests, copies = len(receiver.requests), len(receiver.copies)
    # What `make soak-webhook` shows.
    print(f"{MESSAGES} messages, {requests} requests, {copies} copies dropped")  # noqa: T201


def test_control_with_a_new_id_each_time_copies_are_processed_again(
    system: System, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.stable_message_ids(monkeypatch)
    numbers = system.file(40)
    flap(receiver, 200, seed=7)
    settle(system)

    assert len(receiver.dossiers()) > len(numbers)


# --- a process that is killed between acceptance and commit -----------------------------------


def killed_while_one_is_taken_in(system: System, receiver: Receiver) -> None:
    """Let a process send until the receiver has a message, and kill it before it knows."""
    process = start(system)
    receiver.on_handled = lambda: kill(process.pid or 0)
    process.join(60)
    receiver.on_handled = lambda: None
    system.note_accident()
    system.clock.move(LEASE + MINUTE)


def test_killed_between_acceptance_and_commit_it_comes_again_as_the_same(
    system: System, receiver: Receiver
) -> None:
    (number,) = system.file(1)
    killed_while_one_is_taken_in(system, receiver)
    assert receiver.dossiers() == [number]
    assert {each.state for each in webhooks(system)} == {"sending"}
    settle(system)

    assert receiver.dossiers() == [number]
    assert len(receiver.copies) == 1
    first, second = (headers for headers, _ in receiver.requests)
    assert first["webhook-id"] == second["webhook-id"]
    assert states(system) == {("sent", None)}


def test_control_with_another_id_after_the_kill_it_is_processed_twice(
    system: System, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    (number,) = system.file(1)
    killed_while_one_is_taken_in(system, receiver)
    sending.stable_message_ids(monkeypatch)
    settle(system)

    assert receiver.dossiers() == [number, number]


# --- 410 --------------------------------------------------------------------------------------


def test_an_endpoint_that_is_gone_is_asked_once_and_told_after_it_is_enabled(
    system: System, receiver: Receiver
) -> None:
    receiver.usual = Answer(status=410, handle=False)
    numbers = system.file(20)
    settle(system)
    assert states(system) == {("dead", "webhook-gone")}
    # Those that were under way in the same moment go to the same thread: one after the other.
    assert len(receiver.requests) == 1

    receiver.usual = Answer()
    assert enable_channels(system.runtime, UNIT) == 1
    with system.runtime.database.begin() as connection:
        deliveries.replay(connection, Filter(reason="webhook-gone"), system.clock())
    settle(system)
    assert sorted(receiver.dossiers()) == sorted(numbers)


class NeverDisabled(WebhookChannel):
    disabling: frozenset[Cause] = frozenset()


def test_control_without_disabling_it_is_asked_again_and_again(
    system: System, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CHANNELS, WebhookChannel.kind, NeverDisabled())
    receiver.usual = Answer(status=410, handle=False)
    system.file(20)
    settle(system)
    assert len(receiver.requests) == 20


# --- DNS that is away -------------------------------------------------------------------------


def away_for_hours(
    system: System, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> list[int]:
    """An office whose name is not resolved for five hours."""
    answers: list[tuple[object, ...]] = []
    resolve: Any = socket.getaddrinfo

    def getaddrinfo(host: object, *given: object, **options: object) -> object:
        return list(answers) if host == "wif.example" else resolve(host, *given, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    subscribe(system, f"http://wif.example:{receiver.port}/wif")
    numbers = system.file(10)
    system.run(5 * HOUR, every=10 * MINUTE)
    assert receiver.requests == []
    here = ("127.0.0.1", receiver.port)
    answers.append((socket.AF_INET, socket.SOCK_STREAM, 0, "", here))
    return numbers


def test_while_dns_is_away_everything_waits_and_mail_goes_on(
    system: System, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = away_for_hours(system, receiver, monkeypatch)
    assert states(system) <= {("pending", "webhook-unreachable"), ("pending", None)}
    assert sorted(told.number for told in system.offices.told) == sorted(numbers)
    settle(system)
    assert sorted(receiver.dossiers()) == sorted(numbers)


def test_control_where_a_missing_name_is_final_the_office_is_never_told(
    system: System, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    final = Verdict(Action.PERMANENT, "")
    monkeypatch.setitem(TABLE, Cause.WEBHOOK_UNREACHABLE, final)
    away_for_hours(system, receiver, monkeypatch)
    settle(system)
    assert receiver.dossiers() == []
    assert states(system) == {("dead", "webhook-unreachable")}
