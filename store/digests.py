"""Digests: one delivery that carries all that waits for a unit on a channel.

A digest is a row of the outbox like any other, without a dossier of its own: it is claimed, sent
again and replayed as one message under one idempotency key. What it carries is written in the
commit that makes it, so that each delivery is in one digest however many processes make them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, insert, select, update
from sqlalchemy.orm import aliased

from routing.assignment import Event
from store.audit.log import AuditEntry, AuditLog, Step
from store.base import table_of
from store.deliveries import DeliveryState
from store.dossiers import BACKLOG
from store.models import Delivery

NO_PROCEDURE = 0
"""Stands where a delivery has its procedure: a digest belongs to none."""

_TABLE = table_of(Delivery)
_THIS = _TABLE.c


@dataclass(frozen=True, slots=True)
class Digest:
    """What one digest is made of: a unit's deliveries on a channel, reminders by themselves."""

    unit: str
    channel: str
    event: Event


def due(connection: Connection, now: datetime) -> list[Digest]:
    """The digests whose time has come."""
    query = (
        select(_THIS.unit, _THIS.channel, _THIS.event == Event.LATE.value)
        .where(_THIS.digest_at <= now)
        .distinct()
        .order_by(_THIS.unit, _THIS.channel)
    )
    return [
        Digest(unit, channel, Event.LATE if late else Event.DIGEST)
        for unit, channel, late in connection.execute(query)
    ]


def make(connection: Connection, digest: Digest, now: datetime) -> int:
    """Make one digest of all that is due for it; how many deliveries it carries.

    None is made when nothing waits any more: another process made it, or all was withdrawn.
    """
    late = _THIS.event == Event.LATE.value
    taken = connection.execute(
        update(_TABLE)
        .where(
            _THIS.unit == digest.unit,
            _THIS.channel == digest.channel,
            late if digest.event is Event.LATE else ~late,
            _THIS.state == DeliveryState.WAITING.value,
            _THIS.digest_at <= now,
        )
        .values(state=DeliveryState.CARRIED.value, digest_at=None)
        .returning(_THIS.id)
    )
    carried = taken.scalars().all()
    if not carried:
        return 0
    carrier = connection.execute(
        insert(_TABLE)
        .values(
            procedure=NO_PROCEDURE,
            # The first delivery that it carries makes its key its own.
            number=min(carried),
            event=digest.event.value,
            unit=digest.unit,
            channel=digest.channel,
            assignment=0,
            state=DeliveryState.PENDING.value,
            lane=int(BACKLOG),
            next_attempt_at=now,
            created_at=now,
        )
        .returning(_THIS.id)
    ).scalar_one()
    connection.execute(update(_TABLE).where(_THIS.id.in_(carried)).values(carrier=carrier))
    return len(carried)


def finish_carried(
    connection: Connection, audit: AuditLog, digests: Sequence[int], now: datetime
) -> None:
    """Mark as sent what digests carried that were sent, with an audit entry each."""
    if not digests:
        return
    told = connection.execute(
        update(_TABLE)
        .where(_THIS.carrier.in_(digests), _THIS.state == DeliveryState.CARRIED.value)
        .values(state=DeliveryState.SENT.value, finished_at=now)
        .returning(_THIS.procedure, _THIS.number, _THIS.event, _THIS.unit, _THIS.channel)
    )
    entries = [
        AuditEntry(
            step=Step.SENT,
            procedure=procedure,
            number=number,
            event=event,
            unit=unit,
            channel=channel,
        )
        for procedure, number, event, unit, channel in told
    ]
    audit.append(connection, now, entries)


def remove_empty(connection: Connection, horizon: datetime) -> int:
    """Remove digests that ended before `horizon` and of which no dossier is left; how many."""
    member = aliased(Delivery)
    removed = connection.execute(
        delete(Delivery).where(
            and_(Delivery.procedure == NO_PROCEDURE, Delivery.finished_at < horizon),
            ~exists().where(member.carrier == Delivery.id),
        )
    )
    return removed.rowcount
