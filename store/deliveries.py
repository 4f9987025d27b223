"""The outbox: deliveries queued in the deciding transaction, claimed, sent, finished."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Update,
    and_,
    bindparam,
    case,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from routing.assignment import Event, Notification
from store.bulk import insert_rows
from store.leases import LEASE_EXPIRED, Lease
from store.models import Delivery, Dossier, table_of
from store.number_filter import number_in


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One delivery to be made."""

    procedure: int
    number: int
    notification: Notification
    channel: str
    assignment: int
    lane: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedDelivery:
    """A delivery that is ours to make, with what its message says of the dossier."""

    id: int
    procedure: int
    number: int
    event: Event
    unit: str
    channel: str
    assignment: int
    counterpart: str | None
    attempts: int
    filed_at: datetime
    permit_type: str | None
    department: str | None
    rule: str | None
    ruleset: str | None
    reasons: tuple[str, ...]
    unrouted: bool
    pinned_reason: str | None
    reason: str | None

    @property
    def lost(self) -> bool:
        """Whether the attempt before this one was lost with its worker."""
        return self.reason == LEASE_EXPIRED

    @property
    def key(self) -> str:
        """The idempotency key: the same for every attempt and every copy of this delivery."""
        parts = (self.procedure, self.number, self.event, self.unit, self.channel, self.assignment)
        return ".".join(str(part) for part in parts)


def queue(connection: Connection, orders: Iterable[Order], now: datetime) -> None:
    """Store deliveries, due at once; one that exists already is left alone."""
    insert_rows(connection, Delivery, [_row(order, now) for order in orders])


def _row(order: Order, now: datetime) -> dict[str, Any]:
    return {
        "procedure": order.procedure,
        "number": order.number,
        "event": order.notification.event.value,
        "unit": order.notification.unit,
        "channel": order.channel,
        "assignment": order.assignment,
        "counterpart": order.notification.counterpart,
        "state": DeliveryState.PENDING.value,
        "lane": order.lane,
        "next_attempt_at": now,
        "created_at": now,
    }


def claim(
    connection: Connection,
    *,
    limit: int,
    lease: Lease,
    now: datetime,
    skip_units: Collection[str] = (),
) -> list[ClaimedDelivery]:
    """Take up to `limit` due deliveries, the freshest lane first.

    The attempt is counted here, in the claim: a worker that dies counts nowhere else.
    """
    taken = connection.execute(
        _claiming(skipping=bool(skip_units)),
        {
            "now": now,
            "most": limit,
            "lease": lease.token,
            "lease_until": lease.until,
            **({"skipped": list(skip_units)} if skip_units else {}),
        },
    )
    return _claimed(connection, taken.scalars().all())


_TABLE = table_of(Delivery)
_THIS = _TABLE.c
_ITS = table_of(Dossier).c


@cache
def _claiming(*, skipping: bool) -> Update:
    due = [_THIS.next_attempt_at <= bindparam("now")]
    if skipping:
        due.append(_THIS.unit.not_in(bindparam("skipped", expanding=True)))
    wanted = (
        select(_THIS.id)
        .where(*due)
        .order_by(_THIS.lane, _THIS.next_attempt_at)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
        # A plain subquery is run again for each row in some plans of PostgreSQL, and then
        # takes more rows than its limit; one that stands by itself is run once.
        .cte("wanted")
    )
    lost = _THIS.state == DeliveryState.SENDING.value
    return (
        update(_TABLE)
        .where(_THIS.id.in_(select(wanted.c.id)))
        .values(
            state=DeliveryState.SENDING.value,
            lease_token=bindparam("lease"),
            next_attempt_at=bindparam("lease_until"),
            attempts=_THIS.attempts + 1,
            reason=case(
                (lost, LEASE_EXPIRED),
                (_THIS.reason == LEASE_EXPIRED, None),
                else_=_THIS.reason,
            ),
        )
        .returning(_THIS.id)
    )


_CLAIMED = (
    select(
        *(_THIS.id, _THIS.procedure, _THIS.number, _THIS.event, _THIS.unit),
        *(_THIS.channel, _THIS.assignment, _THIS.counterpart, _THIS.attempts),
        *(_ITS.filed_at, _ITS.permit_type, _ITS.department, _ITS.rule),
        *(_ITS.ruleset, _ITS.reasons, _ITS.unrouted, _ITS.pinned_reason, _THIS.reason),
    )
    .join_from(
        _TABLE,
        table_of(Dossier),
        and_(_ITS.procedure == _THIS.procedure, _ITS.number == _THIS.number),
    )
    .where(number_in(_THIS.id, "ids"))
    .order_by(_THIS.lane, _THIS.id)
)


def _claimed(connection: Connection, ids: Sequence[int]) -> list[ClaimedDelivery]:
    if not ids:
        return []
    return [
        ClaimedDelivery(**{**row._asdict(), "event": Event(row.event)})
        for row in connection.execute(_CLAIMED, {"ids": ids})
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponement:
    """A delivery that was not made: `next_attempt_at` is None when it is dead."""

    id: int
    reason: str
    attempts: int
    next_attempt_at: datetime | None


def postpone(
    connection: Connection, postponements: Sequence[Postponement], lease: Lease, now: datetime
) -> frozenset[int]:
    """Make deliveries due again later, or dead, where `lease` still holds them; returns these."""
    if not postponements:
        return frozenset()
    ids = [item.id for item in postponements]
    ours = select(Delivery.id).where(Delivery.id.in_(ids), Delivery.lease_token == lease.token)
    held = frozenset(connection.execute(ours.with_for_update()).scalars())
    rows = [_postponed(item, now) for item in postponements if item.id in held]
    if rows:
        connection.execute(_POSTPONING, rows)
    return held


def give_back(
    connection: Connection, ids: Collection[int], lease: Lease, *, due_at: datetime
) -> int:
    """Give back those of `ids` that `lease` still holds, their attempt not counted; how many."""
    given = connection.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.lease_token == lease.token)
        .values(
            state=DeliveryState.PENDING.value,
            attempts=Delivery.attempts - 1,
            next_attempt_at=due_at,
            lease_token=None,
        )
    )
    return given.rowcount


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


def unsent(
    connection: Connection, dossiers: Collection[tuple[int, int]]
) -> dict[tuple[int, int], frozenset[Notification]]:
    """Notifications of these dossiers that can still be withdrawn: queued ones and dead ones.

    Locked until the commit: one that is claimed in between would be sent all the same, and
    the unit would never be told that it lost the dossier.
    """
    if not dossiers:
        return {}
    query = select(Delivery.procedure, Delivery.number, Delivery.event, Delivery.unit).where(
        tuple_(Delivery.procedure, Delivery.number).in_(list(dossiers)),
        Delivery.state.in_([DeliveryState.PENDING.value, DeliveryState.DEAD.value]),
    )
    found: dict[tuple[int, int], set[Notification]] = {}
    for procedure, number, event, unit in connection.execute(query.with_for_update()):
        found.setdefault((procedure, number), set()).add(Notification(Event(event), unit))
    return {dossier: frozenset(notices) for dossier, notices in found.items()}


def withdraw(
    connection: Connection,
    procedure: int,
    number: int,
    notices: Iterable[Notification],
    now: datetime,
) -> None:
    """Cancel notifications that were not sent."""
    for notice in notices:
        connection.execute(
            update(Delivery)
            .where(
                Delivery.procedure == procedure,
                Delivery.number == number,
                Delivery.event == notice.event.value,
                Delivery.unit == notice.unit,
                Delivery.state.in_([DeliveryState.PENDING.value, DeliveryState.DEAD.value]),
            )
            .values(
                state=DeliveryState.CANCELLED.value,
                next_attempt_at=None,
                lease_token=None,
                finished_at=now,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery:
    """A delivery as it is listed."""

    id: int
    procedure: int
    number: int
    event: str
    unit: str
    channel: str
    assignment: int
    counterpart: str | None
    state: str
    reason: str | None
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None
    permit_type: str | None
    department: str | None


_LISTED = (
    *(Delivery.id, Delivery.procedure, Delivery.number, Delivery.event, Delivery.unit),
    *(Delivery.channel, Delivery.assignment, Delivery.counterpart, Delivery.state),
    *(Delivery.reason, Delivery.attempts, Delivery.created_at, Delivery.next_attempt_at),
    *(Delivery.finished_at, Dossier.permit_type, Dossier.department),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which deliveries are meant; None means any."""

    id: int | None = None
    state: DeliveryState | None = None
    unit: str | None = None
    procedure: int | None = None
    number: int | None = None
    reason: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter as conditions on the table."""
        wanted = {
            Delivery.id: self.id,
            Delivery.state: self.state,
            Delivery.unit: self.unit,
            Delivery.procedure: self.procedure,
            Delivery.number: self.number,
            Delivery.reason: self.reason,
        }
        return [column == value for column, value in wanted.items() if value is not None]


def listing(
    connection: Connection, wanted: Filter, *, limit: int | None = None
) -> list[StoredDelivery]:
    """Deliveries by id, filtered."""
    same = and_(Dossier.procedure == Delivery.procedure, Dossier.number == Delivery.number)
    query = select(*_LISTED).join(Dossier, same).where(*wanted.conditions()).order_by(Delivery.id)
    return [StoredDelivery(**row._asdict()) for row in connection.execute(query.limit(limit))]


def replay(
    connection: Connection, wanted: Filter, now: datetime
) -> list[tuple[int, int, str, str]]:
    """Make dead deliveries due at once; returns (procedure, number, event, unit) of each.

    A delivery that is replayed twice is sent once: the second time it is not dead.
    """
    dead = update(Delivery).where(Delivery.state == DeliveryState.DEAD.value, *wanted.conditions())
    revived = connection.execute(
        dead.values(
            state=DeliveryState.PENDING.value,
            attempts=0,
            reason=None,
            next_attempt_at=now,
            finished_at=None,
        ).returning(Delivery.procedure, Delivery.number, Delivery.event, Delivery.unit)
    )
    return list(revived)


def due_again(
    connection: Connection,
    now: datetime,
    *,
    unit: str | None = None,
    reasons: Collection[str] = (),
) -> int:
    """Make deliveries that failed before due at once, for one unit or of some causes; how many."""
    conditions = [
        Delivery.state == DeliveryState.PENDING.value,
        Delivery.next_attempt_at > now,
        Delivery.lease_token.is_(None),
    ]
    if unit is not None:
        conditions.append(Delivery.unit == unit)
    if reasons:
        conditions.append(Delivery.reason.in_(reasons))
    changed = connection.execute(update(Delivery).where(*conditions).values(next_attempt_at=now))
    return changed.rowcount


def counts(connection: Connection) -> dict[str, int]:
    """How many deliveries stand in each state."""
    query = select(Delivery.state, func.count()).group_by(Delivery.state)
    return dict(connection.execute(query).all())


def any_due(connection: Connection, now: datetime) -> bool:
    """Whether a delivery waits to be made."""
    query = select(Delivery.id).where(Delivery.next_attempt_at <= now).limit(1)
    return connection.execute(query).first() is not None


def oldest_unsent(connection: Connection) -> datetime | None:
    """When the oldest delivery that is neither sent, dead nor cancelled was queued."""
    waiting = Delivery.next_attempt_at.is_not(None)
    return connection.execute(select(func.min(Delivery.created_at)).where(waiting)).scalar()
