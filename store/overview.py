"""Where things stand, in numbers: what `wif status`, alarms and metrics are made of."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from routing.facts import DossierState
from store import deliveries, dossiers, procedures
from store.dossiers import DossierStatus
from store.models import Delivery, Dossier, Procedure
from store.procedures import ProcedureStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureToLookAt:
    """A procedure that does not go as it should: stopped, paused or failing."""

    procedure: int
    status: str
    reason: str | None
    failures: int
    polled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Counts and the oldest of what waits; instants are None where nothing waits.

    Attributes:
        dossiers: how many in each status, and how many `unrouted`.
        deliveries: how many in each state.
        oldest_pending: when the oldest dossier that was never read was first seen.
        oldest_unsent: when the oldest delivery that waits was queued.
        oldest_poll: when the active procedure that waits longest was last polled.
        never_polled: active procedures that were never polled.
        procedures: how many in each status.
        needy: procedures that a person should look at.
    """

    dossiers: dict[str, int]
    deliveries: dict[str, int]
    oldest_pending: datetime | None
    oldest_unsent: datetime | None
    oldest_poll: datetime | None
    never_polled: int
    procedures: dict[str, int]
    needy: Sequence[ProcedureToLookAt]


@dataclass(frozen=True, slots=True)
class Wait:
    """How many wait for something, and since when the oldest of them does."""

    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """What waits for us or for a person: what alarms look at.

    Attributes:
        unread: dossiers of active procedures that were never read.
        unsent: deliveries that are neither sent, dead nor cancelled.
        polled: for each active procedure when it was last polled; when it was first known
            if it never was.
        unrouted: open dossiers with the fallback unit.
        quarantined: dossiers that cannot be read.
        dead: dead deliveries by cause.
        stopped: stopped procedures by cause.
        paused: ids of paused procedures.
    """

    unread: Wait
    unsent: Wait
    polled: dict[int, datetime]
    unrouted: Wait
    quarantined: Wait
    dead: dict[str, Wait]
    stopped: dict[str, list[int]]
    paused: list[int]


def waits(connection: Connection, polled: Collection[int]) -> Waits:
    """What waits, as of the transaction of `connection`.

    Args:
        connection: a transaction.
        polled: the procedures of the rule set in force; others are not counted.
    """
    rows = [row for row in procedures.listing(connection) if row.number in polled]
    by_status: dict[str, list[Procedure]] = {}
    for row in rows:
        by_status.setdefault(row.status, []).append(row)
    active = by_status.get(ProcedureStatus.ACTIVE.value, [])
    stopped: dict[str, list[int]] = {}
    for row in by_status.get(ProcedureStatus.STOPPED.value, []):
        stopped.setdefault(row.reason or "", []).append(row.number)
    return Waits(
        unread=_unread(connection, [row.number for row in active]),
        unsent=_wait(connection, Delivery.created_at, Delivery.next_attempt_at.is_not(None)),
        polled={row.number: row.polled_at or row.next_scan_at for row in active},
        unrouted=_wait(connection, Dossier.decided_at, *_UNROUTED),
        quarantined=_wait(connection, Dossier.aside_since, *_QUARANTINED),
        dead=_dead(connection),
        stopped=stopped,
        paused=[row.number for row in by_status.get(ProcedureStatus.PAUSED.value, [])],
    )


_UNROUTED = (
    Dossier.unrouted,
    Dossier.status == DossierStatus.ROUTED.value,
    Dossier.state.in_([DossierState.INITIATED.value, DossierState.RECEIVED.value]),
)
_QUARANTINED = (
    Dossier.aside_since.is_not(None),
    Dossier.status == DossierStatus.QUARANTINED.value,
)


def _wait(connection: Connection, column: Any, *conditions: Any) -> Wait:  # noqa: ANN401
    query = select(func.count(), func.min(column)).where(*conditions)
    return Wait(*connection.execute(query).one())


def due_polls(connection: Connection, polled: Collection[int], now: datetime) -> Wait:
    """Active procedures of `polled` that are to be polled, and since when."""
    active = Procedure.status == ProcedureStatus.ACTIVE.value
    mine = Procedure.number.in_(polled)
    return _wait(connection, Procedure.next_poll_at, mine, active, Procedure.next_poll_at <= now)


def due_dossiers(connection: Connection, polled: Collection[int], now: datetime) -> Wait:
    """Dossiers of active procedures of `polled` that are to be read, and since when."""
    active = select(Procedure.number).where(
        Procedure.number.in_(polled), Procedure.status == ProcedureStatus.ACTIVE.value
    )
    mine = Dossier.procedure.in_(active)
    return _wait(connection, Dossier.next_attempt_at, Dossier.next_attempt_at <= now, mine)


def due_deliveries(connection: Connection, channel: str, now: datetime) -> Wait:
    """Deliveries of a channel that are to be made, and since when."""
    due = (Delivery.channel == channel, Delivery.next_attempt_at <= now)
    return _wait(connection, Delivery.next_attempt_at, *due)


def _unread(connection: Connection, active: Collection[int]) -> Wait:
    return _wait(
        connection,
        Dossier.seen_at,
        Dossier.next_attempt_at.is_not(None),
        Dossier.status == DossierStatus.PENDING.value,
        Dossier.procedure.in_(active),
    )


def _dead(connection: Connection) -> dict[str, Wait]:
    query = (
        select(Delivery.reason, func.count(), func.min(Delivery.finished_at))
        .where(Delivery.state == deliveries.DeliveryState.DEAD.value)
        .group_by(Delivery.reason)
    )
    return {reason or "": Wait(count, since) for reason, count, since in connection.execute(query)}


def overview(connection: Connection) -> Overview:
    """Where things stand, as of the transaction of `connection`."""
    active = Procedure.status == ProcedureStatus.ACTIVE.value
    never = select(func.count()).where(active, Procedure.polled_at.is_(None))
    statuses = select(Procedure.status, func.count()).group_by(Procedure.status)
    return Overview(
        dossiers=dossiers.counts(connection),
        deliveries=deliveries.counts(connection),
        oldest_pending=_oldest_pending(connection),
        oldest_unsent=deliveries.oldest_unsent(connection),
        oldest_poll=connection.execute(
            select(func.min(Procedure.polled_at)).where(active)
        ).scalar(),
        never_polled=connection.execute(never).scalar_one(),
        procedures=dict(connection.execute(statuses).all()),
        needy=_needy(connection),
    )


def dead_reasons(connection: Connection) -> dict[str, int]:
    """How many deliveries are dead of which cause."""
    query = (
        select(Delivery.reason, func.count())
        .where(Delivery.state == deliveries.DeliveryState.DEAD.value)
        .group_by(Delivery.reason)
    )
    return {reason or "": count for reason, count in connection.execute(query)}


def _oldest_pending(connection: Connection) -> datetime | None:
    waiting = select(func.min(Dossier.seen_at)).where(
        Dossier.next_attempt_at.is_not(None),
        Dossier.status == dossiers.DossierStatus.PENDING.value,
    )
    return connection.execute(waiting).scalar()


def _needy(connection: Connection) -> list[ProcedureToLookAt]:
    columns = (
        Procedure.number.label("procedure"),
        Procedure.status,
        Procedure.reason,
        Procedure.failures,
        Procedure.polled_at,
    )
    unwell = (Procedure.status != ProcedureStatus.ACTIVE.value) | (Procedure.failures > 0)
    query = select(*columns).where(unwell).order_by(Procedure.number)
    return [ProcedureToLookAt(**row._asdict()) for row in connection.execute(query)]
