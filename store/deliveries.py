"""The outbox: deliveries queued in the deciding transaction, listed, withdrawn and replayed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select, tuple_, update
from sqlalchemy.sql.elements import ColumnElement

from routing.assignment import ARRIVALS, Event, Notification
from routing.units import GROUP_CHANNEL
from store.base import table_of
from store.bulk import insert_rows
from store.models import Delivery, Dossier
from store.states import DeliveryState as DeliveryState  # noqa: PLC0414 - exported
from store.upsert import insert_new

IN_A_DIGEST = (DeliveryState.WAITING, DeliveryState.CARRIED)
"""What has no due time of its own and is still to be told."""

WITHDRAWABLE = (DeliveryState.PENDING, DeliveryState.DEAD, DeliveryState.WAITING)
"""Not sent, and claimed by no worker."""


TOLD = (DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.CARRIED)
"""Sent, claimed by a worker, or carried by a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One delivery to be made.

    Attributes:
        digest_at: when the digest is made that carries it; None: it is made by itself, now.
    """

    procedure: int
    number: int
    notification: Notification
    channel: str
    assignment: int
    lane: int
    digest_at: datetime | None = None


def queue(connection: Connection, orders: Iterable[Order], now: datetime) -> None:
    """Store deliveries, due at once; one that exists already is left alone."""
    insert_rows(connection, Delivery, [_row(order, now) for order in orders])


def queue_new(connection: Connection, orders: Sequence[Order], now: datetime) -> list[Order]:
    """Store deliveries as `queue` does; those that did not exist yet."""
    if not orders:
        return []
    columns = [table_of(Delivery).c[name] for name in _KEY]
    statement = insert_new(connection, Delivery).returning(*columns)
    rows = [_row(order, now) for order in orders]
    new = {tuple(row) for row in connection.execute(statement, rows)}
    keys = (tuple(row[name] for name in _KEY) for row in rows)
    return [order for order, key in zip(orders, keys, strict=True) if key in new]


_KEY = ("procedure", "number", "event", "unit", "channel", "assignment")


def _row(order: Order, now: datetime) -> dict[str, Any]:
    return {
        "procedure": order.procedure,
        "number": order.number,
        "event": order.notification.event.value,
        "unit": order.notification.unit,
        "channel": order.channel,
        "assignment": order.assignment,
        "counterpart": order.notification.counterpart,
        "state": (DeliveryState.WAITING if order.digest_at else DeliveryState.PENDING).value,
        "lane": order.lane,
        "next_attempt_at": None if order.digest_at else now,
        "digest_at": order.digest_at,
        "created_at": now,
    }


def unsent(
    connection: Connection, dossiers: Collection[tuple[int, int]]
) -> dict[tuple[int, int], frozenset[Notification]]:
    """Notifications of these dossiers that can still be withdrawn: queued, waiting and dead ones.

    Moves in TPS are none: nobody is told by them.

    Locked until the commit: one that is claimed in between would be sent all the same, and
    the unit would never be told that it lost the dossier.
    """
    if not dossiers:
        return {}
    query = select(Delivery.procedure, Delivery.number, Delivery.event, Delivery.unit).where(
        tuple_(Delivery.procedure, Delivery.number).in_(list(dossiers)),
        Delivery.state.in_(WITHDRAWABLE),
        Delivery.channel != GROUP_CHANNEL,
    )
    found: dict[tuple[int, int], set[Notification]] = {}
    for procedure, number, event, unit in connection.execute(query.with_for_update()):
        found.setdefault((procedure, number), set()).add(Notification(Event(event), unit))
    return {dossier: frozenset(notifications) for dossier, notifications in found.items()}


def told(
    connection: Connection, dossiers: Collection[tuple[int, int]]
) -> dict[tuple[int, int], frozenset[str]]:
    """Units that were told of these dossiers or are being told, but for losing them."""
    if not dossiers:
        return {}
    query = select(Delivery.procedure, Delivery.number, Delivery.unit).where(
        tuple_(Delivery.procedure, Delivery.number).in_(list(dossiers)),
        Delivery.event.in_([event.value for event in (*ARRIVALS, Event.INFORMED)]),
        Delivery.state.in_([state.value for state in TOLD]),
        Delivery.channel != GROUP_CHANNEL,
    )
    found: dict[tuple[int, int], set[str]] = {}
    for procedure, number, unit in connection.execute(query):
        found.setdefault((procedure, number), set()).add(unit)
    return {dossier: frozenset(units) for dossier, units in found.items()}


def withdraw(
    connection: Connection,
    procedure: int,
    number: int,
    notifications: Iterable[Notification],
    now: datetime,
) -> None:
    """Cancel notifications that were not sent."""
    for notification in notifications:
        connection.execute(
            update(Delivery)
            .where(
                Delivery.procedure == procedure,
                Delivery.number == number,
                Delivery.event == notification.event.value,
                Delivery.unit == notification.unit,
                Delivery.state.in_(WITHDRAWABLE),
            )
            .values(
                state=DeliveryState.CANCELLED.value,
                digest_at=None,
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
    channel: str | None = None
    since: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter as conditions on the table."""
        wanted = {
            Delivery.id: self.id,
            Delivery.state: self.state,
            Delivery.unit: self.unit,
            Delivery.procedure: self.procedure,
            Delivery.number: self.number,
            Delivery.reason: self.reason,
            Delivery.channel: self.channel,
        }
        found = [column == value for column, value in wanted.items() if value is not None]
        return found if self.since is None else [*found, Delivery.created_at >= self.since]


def listing(
    connection: Connection, wanted: Filter, *, limit: int | None = None
) -> list[StoredDelivery]:
    """Deliveries by id, filtered."""
    same = and_(Dossier.procedure == Delivery.procedure, Dossier.number == Delivery.number)
    query = (
        select(*_LISTED).outerjoin(Dossier, same).where(*wanted.conditions()).order_by(Delivery.id)
    )
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
    channel: str,
    unit: str | None = None,
    reasons: Collection[str] = (),
) -> int:
    """Make deliveries of a channel that failed before due at once; how many.

    Args:
        connection: a transaction.
        now: the present instant.
        channel: its kind.
        unit: only those to this unit.
        reasons: only those that failed for one of these.
    """
    conditions = [
        Delivery.channel == channel,
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


def hold_back(connection: Connection, *, channel: str, unit: str, until: datetime) -> None:
    """Make nothing due for a unit on a channel before `until`: its peer asked to wait."""
    connection.execute(
        update(Delivery)
        .where(
            Delivery.channel == channel,
            Delivery.unit == unit,
            Delivery.state == DeliveryState.PENDING.value,
            Delivery.next_attempt_at < until,
        )
        .values(next_attempt_at=until)
    )


def counts(connection: Connection) -> dict[str, int]:
    """How many deliveries stand in each state."""
    query = select(Delivery.state, func.count()).group_by(Delivery.state)
    return dict(connection.execute(query).all())


def channels_due(connection: Connection, kinds: Iterable[str], now: datetime) -> list[str]:
    """Those of `kinds` of channel on which a delivery waits to be made."""

    def due(kind: str) -> bool:
        query = select(Delivery.id).where(Delivery.channel == kind, Delivery.next_attempt_at <= now)
        return connection.execute(query.limit(1)).first() is not None

    return [kind for kind in kinds if due(kind)]


def oldest_unsent(connection: Connection) -> datetime | None:
    """When the oldest delivery that is neither sent, dead nor cancelled was queued."""
    waiting = Delivery.next_attempt_at.is_not(None)
    return connection.execute(select(func.min(Delivery.created_at)).where(waiting)).scalar()
