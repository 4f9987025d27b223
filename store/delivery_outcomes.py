"""What became of claimed deliveries: sent, due again later, or dead, each with its audit entry.

Rows that the lease no longer holds are left as they are: another worker has them. On PostgreSQL
a group in which all were sent is one statement, which is a transaction by itself: one round trip
in place of four, for every ten messages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    ScalarResult,
    Select,
    bindparam,
    column,
    insert,
    select,
    update,
)

from store.audit.log import AuditEntry, AuditLog
from store.base import table_of
from store.bulk import DOCUMENT, as_table, document
from store.deliveries import DeliveryState
from store.digests import finish_carried
from store.leases import Lease
from store.models import AuditLine, Delivery
from store.number_filter import number_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponement:
    """A delivery that was not made.

    Attributes:
        id: of the delivery.
        reason: code of the cause.
        attempts: how many it has cost.
        next_attempt_at: when it is due again, None when it is dead.
    """

    id: int
    reason: str
    attempts: int
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery.

    Attributes:
        delivery: its id.
        entry: of the audit log, that says so.
        postponement: None when it was sent.
        digest: whether it is a digest, with which others are told.
        skipped: why the channel skipped it; it then counts as cancelled, and cost no attempt.
    """

    delivery: int
    entry: AuditEntry
    postponement: Postponement | None = None
    digest: bool = False
    skipped: str | None = None


def store_outcomes(
    connection: Connection,
    audit: AuditLog,
    outcomes: Sequence[Outcome],
    lease: Lease,
    now: datetime,
) -> list[AuditEntry]:
    """Store what became of deliveries that `lease` still holds; the entries that were written.

    Args:
        connection: a transaction; on PostgreSQL one that commits each statement is enough when
            all were sent and none is a digest.
        audit: takes the entries.
        outcomes: of each delivery, in the order of the attempts.
        lease: under which they were claimed.
        now: the present instant.
    """
    sent = {
        each.delivery: each.entry
        for each in outcomes
        if each.postponement is None and each.skipped is None
    }
    failed = {each.delivery: each for each in outcomes if each.postponement is not None}
    digests = [each.delivery for each in outcomes if each.digest]
    done = finish_sent(connection, audit, sent, lease, now)
    finish_carried(connection, audit, [id_ for id_ in digests if id_ in done], now)
    entries = [entry for id_, entry in sent.items() if id_ in done]
    entries += _cancel_skipped(
        connection, audit, [each for each in outcomes if each.skipped], lease, now
    )
    if not failed:
        return entries
    later = [each.postponement for each in failed.values() if each.postponement is not None]
    ours = postpone(connection, later, lease, now)
    put_off = [each.entry for id_, each in failed.items() if id_ in ours]
    audit.append(connection, now, put_off)
    return entries + put_off


def _cancel_skipped(
    connection: Connection, audit: AuditLog, skipped: Sequence[Outcome], lease: Lease, now: datetime
) -> list[AuditEntry]:
    """Cancel what was skipped, where `lease` still holds it; the entries that were written."""
    entries = []
    for each in skipped:
        changed = connection.execute(
            update(Delivery)
            .where(Delivery.id == each.delivery, Delivery.lease_token == lease.token)
            .values(
                state=DeliveryState.CANCELLED.value,
                reason=each.skipped,
                attempts=Delivery.attempts - 1,
                next_attempt_at=None,
                lease_token=None,
                finished_at=now,
            )
        )
        entries += [each.entry] if changed.rowcount else []
    audit.append(connection, now, entries)
    return entries


def postpone(
    connection: Connection, postponements: Sequence[Postponement], lease: Lease, now: datetime
) -> frozenset[int]:
    """Make deliveries due again later, or dead, where `lease` still holds them; returns these."""
    if not postponements:
        return frozenset()
    ids = [item.id for item in postponements]
    ours = select(Delivery.id).where(Delivery.id.in_(ids), Delivery.lease_token == lease.token)
    held = frozenset(connection.execute(ours.with_for_update()).scalars())
    put_off(connection, [item for item in postponements if item.id in held], now)
    return held


def put_off(connection: Connection, postponements: Sequence[Postponement], now: datetime) -> None:
    """Write what `postpone` does, without fencing."""
    if postponements:
        connection.execute(_POSTPONING, [_postponed(item, now) for item in postponements])


_POSTPONED = ("state", "reason", "attempts", "next_attempt_at", "finished_at")
_POSTPONING = (
    update(Delivery)
    .where(Delivery.id == bindparam("delivery"))
    .values(
        **{
            name: bindparam(f"v_{name}", type_=Delivery.__table__.columns[name].type)
            for name in _POSTPONED
        },
        lease_token=None,
    )
)


def _postponed(item: Postponement, now: datetime) -> dict[str, Any]:
    dead = item.next_attempt_at is None
    return {
        "delivery": item.id,
        "v_state": (DeliveryState.DEAD if dead else DeliveryState.PENDING).value,
        "v_reason": item.reason,
        "v_attempts": item.attempts,
        "v_next_attempt_at": item.next_attempt_at,
        "v_finished_at": now if dead else None,
    }


_TABLE = table_of(Delivery)
_THIS = _TABLE.c
_ID = "delivery"
_PLACE = "place"

_FINISHING = (
    update(_TABLE)
    # By an array of ids, not by a join with the rows that are given: without statistics a
    # plan of that reads the whole table.
    .where(number_in(_THIS.id, "ids"), _THIS.lease_token == bindparam("lease"))
    .values(
        state=DeliveryState.SENT.value,
        reason=None,
        next_attempt_at=None,
        lease_token=None,
        finished_at=bindparam("now"),
    )
    .returning(_THIS.id)
)


def finish_sent(
    connection: Connection,
    audit: AuditLog,
    sent: Mapping[int, AuditEntry],
    lease: Lease,
    now: datetime,
) -> frozenset[int]:
    """Mark as sent what `lease` still holds, and write its entries; the ids of these deliveries.

    Args:
        connection: a transaction, or on PostgreSQL a connection that commits each statement.
        audit: takes the entries.
        sent: the entry of each delivery, by its id, in the order in which they were sent.
        lease: under which they were claimed.
        now: the present instant.
    """
    if not sent:
        return frozenset()
    given = {"ids": list(sent), "lease": lease.token, "now": now}
    if connection.dialect.name == "sqlite":
        done = frozenset(connection.execute(_FINISHING, given).scalars())
        audit.append(connection, now, [line for id_, line in sent.items() if id_ in done])
        return done
    rows = audit.rows(now, sent.values())
    identified = [
        {_ID: id_, _PLACE: place, **row}
        for place, (id_, row) in enumerate(zip(sent, rows, strict=True))
    ]
    statement = _at_once(tuple(rows[0]))
    written = document(connection, AuditLine, identified)
    ids: ScalarResult[int] = connection.scalars(statement, {**given, DOCUMENT: written})
    return frozenset(ids)


@cache
def _at_once(names: tuple[str, ...]) -> Select[Any]:
    given = as_table(AuditLine, names, column(_ID, BigInteger), column(_PLACE, Integer))
    done = _FINISHING.cte("done")
    lines = (
        select(*(given.c[name] for name in names))
        .join_from(given, done, given.c[_ID] == done.c.id)
        .order_by(given.c[_PLACE])
    )
    table = table_of(AuditLine)
    told = insert(table).from_select(names, lines, include_defaults=False).cte("told")
    return select(done.c.id).add_cte(told)
