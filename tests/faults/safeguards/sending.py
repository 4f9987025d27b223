"""What makes offices be told once, taken away."""

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, text, update

import service.read
import service.sending
import service.settle
from connectors.channel import Channel, ChannelSession, Receipt
from connectors.channels import CHANNELS
from connectors.closing import Closing
from connectors.notice import Message
from routing import retries
from routing.failures import TABLE, Action, Cause, Failure
from service.claim import Claim
from service.runtime import Runtime
from store import (
    deliveries,
    delivery_outcomes,
)
from store.audit.log import AuditEntry, AuditLog
from store.deliveries import DeliveryState
from store.delivery_outcomes import Postponement
from store.leases import Lease
from store.models import Delivery
from store.settle import Settled


def mail_retries(patch: pytest.MonkeyPatch) -> None:
    """A message that failed is noted and forgotten."""

    def forget(
        connection: Connection, postponements: Sequence[Postponement], lease: Lease, now: datetime
    ) -> frozenset[int]:
        ids = [item.id for item in postponements]
        connection.execute(
            update(Delivery)
            .where(Delivery.id.in_(ids))
            .values(state=DeliveryState.SENT.value, next_attempt_at=None, lease_token=None)
        )
        return frozenset(ids)

    patch.setattr(delivery_outcomes, "postpone", forget)


def isolated_recipients(patch: pytest.MonkeyPatch) -> None:
    """A refused recipient ends the batch, and the batch is tried again from its start."""

    make_attempt = service.sending.make_attempt

    def strict(*given: Any) -> service.sending.Attempt:  # noqa: ANN401
        attempt = make_attempt(*given)
        if attempt.failure is not None:
            raise LookupError
        return attempt

    patch.setattr(service.sending, "make_attempt", strict)


def stable_message_ids(patch: pytest.MonkeyPatch) -> None:
    """Every attempt is a new message."""

    for kind, channel in CHANNELS.items():
        patch.setitem(CHANNELS, kind, _NewKeys(channel))


class _NewKeys:
    """A channel by which no message has the key of another one."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._channel, name)

    def open(self, *given: Any) -> "_NewKeysSession":  # noqa: ANN401
        return _NewKeysSession(self._channel.open(*given))


class _NewKeysSession(Closing):
    def __init__(self, session: ChannelSession) -> None:
        self._session = session.__enter__()

    def close(self) -> None:
        self._session.__exit__(None, None, None)

    def send(self, message: Message, address: str) -> Receipt | None:
        new = replace(message, key=message.key + secrets.token_hex(4))
        return self._session.send(new, address)


def lines_of_lost_attempts(patch: pytest.MonkeyPatch) -> None:
    """That an attempt was lost with its worker is written nowhere."""
    append = AuditLog.append

    def without(
        log: AuditLog,
        connection: Connection,
        at: datetime,
        lines: Iterable[AuditEntry],
    ) -> None:
        append(log, connection, at, [line for line in lines if line.reason != "lease-expired"])

    patch.setattr(AuditLog, "append", without)


def long_retries(patch: pytest.MonkeyPatch) -> None:
    """Five attempts, and then nobody tries again."""
    patch.setattr(retries, "MAX_ATTEMPTS", 5)


def free_waits(patch: pytest.MonkeyPatch) -> None:
    """A server that asks us to wait uses up our attempts."""
    patch.setattr(Failure, "action", property(_counting_action))
    patch.setattr(retries, "MAX_ATTEMPTS", 5)


def _counting_action(failure: Failure) -> Any:  # noqa: ANN401
    action = TABLE[failure.cause].action
    return Action.RETRY if failure.cause is Cause.MAIL_THROTTLED else action


def one_commit(patch: pytest.MonkeyPatch) -> None:
    """The decision is committed, and the deliveries that it makes necessary a moment later."""
    queue, announce = deliveries.queue, service.settle.announce
    kept: list[tuple[Any, datetime]] = []
    patch.setattr(deliveries, "queue", lambda _, orders, now: kept.append((list(orders), now)))

    def queue_then_announce(runtime: Runtime, claim: Claim, settled: Settled) -> None:
        with runtime.database.begin() as connection:
            while kept:
                orders, now = kept.pop()
                queue(connection, orders, now)
        announce(runtime, claim, settled)

    patch.setattr("service.route.announce", queue_then_announce)


def drop_unique_key(connection: Connection) -> None:
    """Let the outbox take the same delivery twice."""
    if connection.dialect.name == "postgresql":
        name = connection.scalar(
            text(
                "SELECT conname FROM pg_constraint "
                "WHERE conrelid = 'deliveries'::regclass AND contype = 'u'"
            )
        )
        connection.execute(text(f"ALTER TABLE deliveries DROP CONSTRAINT {name}"))
        return
    found = "SELECT sql FROM sqlite_master WHERE name = 'deliveries'"
    made = str(connection.scalar(text(found)))
    without = re.sub(r",\s*CONSTRAINT uq_\w+ UNIQUE \([^)]*\)", "", made)
    assert without != made
    connection.execute(text("ALTER TABLE deliveries RENAME TO deliveries_before"))
    connection.execute(text(without))
    connection.execute(text("INSERT INTO deliveries SELECT * FROM deliveries_before"))
    connection.execute(text("DROP TABLE deliveries_before"))
