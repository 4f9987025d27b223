"""Claims on the outbox: who may make a delivery, until when, and how it is given back.

A claim is one conditional UPDATE that sets a lease token; a worker that finishes a delivery must
still hold it. A worker that dies leaves a lease that runs out, and the delivery is due again.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Update,
    and_,
    bindparam,
    case,
    func,
    select,
    update,
)

from routing.assignment import Event
from store.base import table_of
from store.deliveries import DeliveryState
from store.digests import NO_PROCEDURE
from store.leases import LEASE_EXPIRED, Lease
from store.models import Delivery, Dossier
from store.number_filter import number_in


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedDelivery:
    """A delivery that is ours to make, with what its message says of the dossier.

    Attributes:
        filed_at: instant of deposit; None for a digest, which has no dossier of its own.
        units: codes of those that have the dossier now.
        carried: what a digest tells of, oldest first.
    """

    id: int
    procedure: int
    number: int
    event: Event
    unit: str
    channel: str
    assignment: int
    counterpart: str | None
    attempts: int
    created_at: datetime
    filed_at: datetime | None
    permit_type: str | None
    department: str | None
    rule: str | None
    ruleset: str | None
    reasons: tuple[str, ...]
    unrouted: bool
    pinned_reason: str | None
    reason: str | None
    units: tuple[str, ...] = ()
    carried: "tuple[ClaimedDelivery, ...]" = ()

    @property
    def is_digest(self) -> bool:
        """Whether it tells of others and has no dossier of its own."""
        return self.procedure == NO_PROCEDURE

    @property
    def lost(self) -> bool:
        """Whether the attempt before this one was lost with its worker."""
        return self.reason == LEASE_EXPIRED

    @property
    def key(self) -> str:
        """The idempotency key: the same for every attempt and every copy of this delivery."""
        parts = (self.procedure, self.number, self.event, self.unit, self.channel, self.assignment)
        return ".".join(str(part) for part in parts)


def claim(
    connection: Connection,
    *,
    channel: str,
    limit: int,
    lease: Lease,
    now: datetime,
    skip_units: Collection[str] = (),
    most_each: int | None = None,
) -> list[ClaimedDelivery]:
    """Take up to `limit` due deliveries of one channel, the freshest lane first.

    The attempt is counted here, in the claim: a worker that dies counts nowhere else.

    Args:
        connection: a transaction.
        channel: its kind.
        limit: how many at most.
        lease: under which they are held.
        now: the present instant.
        skip_units: units whose address on this channel is to be left alone.
        most_each: at most so many to one unit, and none to a unit to which a worker sends right
            now: the backlog of one address, or its silence, keeps no other waiting. None where
            all addresses share one way.
    """
    taken = connection.execute(
        _claiming(skipping=bool(skip_units), fair=most_each is not None),
        {
            "kind": channel,
            "now": now,
            "most": limit,
            "lease": lease.token,
            "lease_until": lease.until,
            **({"skipped": list(skip_units)} if skip_units else {}),
            **({"share": most_each} if most_each is not None else {}),
        },
    )
    return load_claimed(connection, taken.scalars().all())


_TABLE = table_of(Delivery)
_THIS = _TABLE.c
_ITS = table_of(Dossier).c


@cache
def _claiming(*, skipping: bool, fair: bool) -> Update:
    due = [_THIS.channel == bindparam("kind"), _THIS.next_attempt_at <= bindparam("now")]
    if skipping:
        due.append(_THIS.unit.not_in(bindparam("skipped", expanding=True)))
    if fair:
        due = [_THIS.id.in_(_shares(due))]
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


def _shares(due: Sequence[ColumnElement[bool]]) -> Select[tuple[int]]:
    """The first few deliveries of each unit to which nobody sends now."""
    other = _TABLE.alias()
    busy = select(other.c.unit).where(
        other.c.channel == bindparam("kind"),
        other.c.state == DeliveryState.SENDING.value,
        other.c.next_attempt_at > bindparam("now"),
    )
    order = (_THIS.lane, _THIS.next_attempt_at, _THIS.id)
    place = func.row_number().over(partition_by=_THIS.unit, order_by=order).label("place")
    ranked = select(_THIS.id, place).where(*due, _THIS.unit.not_in(busy)).subquery()
    return select(ranked.c.id).where(ranked.c.place <= bindparam("share", type_=Integer))


_CLAIMED = (
    select(
        *(_THIS.id, _THIS.procedure, _THIS.number, _THIS.event, _THIS.unit),
        *(_THIS.channel, _THIS.assignment, _THIS.counterpart, _THIS.attempts),
        _THIS.created_at,
        *(_ITS.filed_at, _ITS.permit_type, _ITS.department, _ITS.rule),
        *(_ITS.ruleset, _ITS.reasons, _ITS.unrouted, _ITS.pinned_reason, _THIS.reason),
        _ITS.units,
    )
    .outerjoin_from(
        _TABLE,
        table_of(Dossier),
        and_(_ITS.procedure == _THIS.procedure, _ITS.number == _THIS.number),
    )
    .order_by(_THIS.lane, _THIS.id)
)
_BY_ID = _CLAIMED.where(number_in(_THIS.id, "ids"))
_BY_CARRIER = _CLAIMED.add_columns(_THIS.carrier).where(number_in(_THIS.carrier, "ids"))


def load_claimed(connection: Connection, ids: Sequence[int]) -> list[ClaimedDelivery]:
    """Deliveries by their ids, with what their messages say of the dossiers."""
    if not ids:
        return []
    rows = [row._asdict() for row in connection.execute(_BY_ID, {"ids": ids})]
    digests = [row["id"] for row in rows if row["procedure"] == NO_PROCEDURE]
    carried = _carried(connection, digests)
    return [_claimed(row, tuple(carried[row["id"]])) for row in rows]


def _carried(connection: Connection, digests: Sequence[int]) -> dict[int, list[ClaimedDelivery]]:
    """What each digest carries."""
    found: dict[int, list[ClaimedDelivery]] = defaultdict(list)
    if digests:
        for row in connection.execute(_BY_CARRIER, {"ids": digests}):
            values = row._asdict()
            found[values.pop("carrier")].append(_claimed(values))
    return found


def _claimed(row: dict[str, Any], carried: tuple[ClaimedDelivery, ...] = ()) -> ClaimedDelivery:
    known = {
        **row,
        "event": Event(row["event"]),
        "reasons": row["reasons"] or (),
        "unrouted": bool(row["unrouted"]),
        "units": row["units"] or (),
    }
    return ClaimedDelivery(**known, carried=carried)


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
