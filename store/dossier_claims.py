"""Claiming due dossiers: a lease keeps them from other workers until they are settled."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    Connection,
    Integer,
    bindparam,
    case,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from store.base import table_of
from store.dossiers import COLUMNS, FRESH, DossierRecord, record_of
from store.leases import Lease
from store.models import Dossier, Procedure
from store.number_filter import number_in

_TABLE = table_of(Dossier)
_THIS = _TABLE.c
_PROCEDURES = table_of(Procedure).c
_WANTED = (
    select(_THIS.number)
    .where(_THIS.procedure == bindparam("of"), _THIS.next_attempt_at <= bindparam("now"))
    .order_by(_THIS.lane, _THIS.next_attempt_at)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
    # A plain subquery is run again for each row in some plans of PostgreSQL, and then
    # takes more rows than its limit; one that stands by itself is run once.
    .cte("wanted")
)
_TAKEN = {
    "lease_token": bindparam("lease"),
    "next_attempt_at": bindparam("lease_until"),
    # A lease that ran out is still there: its worker neither settled nor gave back the dossier.
    "worker_losses": case(
        (_THIS.lease_token.is_(None), _THIS.worker_losses), else_=_THIS.worker_losses + 1
    ),
}
_CLAIMING = (
    update(_TABLE)
    .where(_THIS.procedure == bindparam("of"), _THIS.number.in_(select(_WANTED.c.number)))
    .values(_TAKEN)
    .returning(*COLUMNS)
)


def claim(
    connection: Connection, procedure: int, *, limit: int, lease: Lease, now: datetime
) -> list[DossierRecord]:
    """Take up to `limit` due dossiers of a procedure, the freshest lane first."""
    given = {"of": procedure, "now": now, "most": limit}
    taken = connection.execute(
        _CLAIMING, {**given, "lease": lease.token, "lease_until": lease.until}
    )
    return [record_of(row) for row in taken]


_CLAIMING_LISTED = (
    update(_TABLE)
    .where(
        _THIS.procedure == bindparam("of"),
        number_in(_THIS.number, "numbers"),
        _THIS.next_attempt_at <= bindparam("now"),
    )
    .values(_TAKEN)
    .returning(*COLUMNS)
)


def claim_listed(
    connection: Connection, procedure: int, numbers: Collection[int], *, lease: Lease, now: datetime
) -> list[DossierRecord]:
    """Take those of `numbers` that are due, as they are whose facts came with a page."""
    given = {"of": procedure, "now": now, "numbers": numbers}
    taken = connection.execute(
        _CLAIMING_LISTED, {**given, "lease": lease.token, "lease_until": lease.until}
    )
    return [record_of(row) for row in taken]


_HELD = (
    select(_THIS.number, _THIS.listed_change_at)
    .where(
        _THIS.procedure == bindparam("of"),
        number_in(_THIS.number, "numbers"),
        _THIS.lease_token == bindparam("lease"),
    )
    .order_by(_THIS.number)
    .with_for_update()
)


def held(
    connection: Connection, procedure: int, numbers: Collection[int], lease: Lease
) -> Mapping[int, datetime | None]:
    """Those of `numbers` that `lease` still holds, locked, with their last listed change."""
    given = {"of": procedure, "numbers": numbers, "lease": lease.token}
    rows = connection.execute(_HELD, given)
    return {row.number: row.listed_change_at for row in rows}


def give_back(
    connection: Connection,
    procedure: int,
    numbers: Collection[int],
    lease: Lease,
    *,
    due_at: datetime,
) -> int:
    """Give back those of `numbers` that `lease` still holds, due at `due_at`; how many."""
    given = connection.execute(
        update(Dossier)
        .where(*held_by(procedure, numbers, lease))
        .values(lease_token=None, next_attempt_at=due_at)
    )
    return given.rowcount


def held_by(
    procedure: int, numbers: Collection[int], lease: Lease
) -> tuple[ColumnElement[bool], ...]:
    """Conditions on the table: those of `numbers` that `lease` holds."""
    return (
        Dossier.procedure == procedure,
        Dossier.number.in_(numbers),
        Dossier.lease_token == lease.token,
    )


def procedures_with_work(connection: Connection, now: datetime) -> Sequence[int]:
    """Procedures that have due dossiers and are neither stopped nor paused."""
    work = exists().where(Dossier.procedure == Procedure.number, Dossier.next_attempt_at <= now)
    active = Procedure.status == "active"
    return connection.execute(select(Procedure.number).where(active, work)).scalars().all()


_OLDEST_FRESH = (
    select(func.min(_THIS.next_attempt_at))
    .where(
        _THIS.procedure == _PROCEDURES.number,
        _THIS.lane == int(FRESH),
        _THIS.next_attempt_at <= bindparam("now"),
    )
    .scalar_subquery()
)
_WITH_FRESH = (
    select(_PROCEDURES.number, _OLDEST_FRESH.label("since"))
    .where(_PROCEDURES.status == "active")
    .cte("with_fresh")
)
_FRESH_FIRST = (
    select(_WITH_FRESH.c.number)
    .where(_WITH_FRESH.c.since.is_not(None))
    .order_by(_WITH_FRESH.c.since)
)


def procedures_with_fresh(connection: Connection, now: datetime) -> Sequence[int]:
    """Active procedures with due dossiers that were just filed, longest due first."""
    return connection.execute(_FRESH_FIRST, {"now": now}).scalars().all()
