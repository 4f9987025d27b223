"""Procedures that are polled: who polls one now, when it is due, where its cursor stands."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from store.audit.log import AuditEntry, Step
from store.leases import Lease
from store.models import Procedure, table_of
from store.upsert import insert_new


class ProcedureStatus(StrEnum):
    """`stopped`: TPS refuses us; `paused`: its dossiers are held until a person resumes it."""

    ACTIVE = "active"
    STOPPED = "stopped"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a claimed procedure stands.

    Attributes:
        number: id of the procedure.
        status: of the procedure when it was claimed.
        failures: polls that failed in a row.
        scan_due: whether a full scan is due or half done.
        scan_started_at: start of the scan under way, None when none is.
        scan_page: next page of that scan, counted down to 1.
        scan_pages: pages that the last scan found.
        scanned: whether a scan was ever completed.
    """

    number: int
    status: ProcedureStatus
    failures: int
    scan_due: bool
    scan_started_at: datetime | None
    scan_page: int | None
    scan_pages: int
    scanned: bool


def register(connection: Connection, numbers: Iterable[int], now: datetime) -> None:
    """Make a row for every configured procedure that has none; it is due at once."""
    known = set(connection.execute(select(Procedure.number)).scalars())
    rows = [
        {"number": number, "next_poll_at": now, "next_scan_at": now}
        for number in sorted(set(numbers) - known)
    ]
    if rows:
        connection.execute(insert_new(connection, Procedure), rows)


def due(connection: Connection, numbers: Collection[int], now: datetime) -> Sequence[int]:
    """Those of `numbers` whose time has come and that nobody holds, longest due first."""
    query = (
        select(Procedure.number)
        .where(Procedure.number.in_(numbers), Procedure.next_poll_at <= now, _free(now))
        .order_by(Procedure.next_poll_at)
    )
    return connection.execute(query).scalars().all()


def claim(
    connection: Connection, number: int, lease: Lease, now: datetime, *, only_due: bool = False
) -> Cursor | None:
    """Take the lease of a procedure; None while somebody else holds it.

    With `only_due` also None when it was polled a moment ago: a tick that comes twice
    has one effect.
    """
    free = [Procedure.number == number, _free(now)]
    if only_due:
        free.append(Procedure.next_poll_at <= now)
    columns = (
        Procedure.status,
        Procedure.failures,
        Procedure.next_scan_at,
        Procedure.scan_started_at,
        Procedure.scan_page,
        Procedure.scan_pages,
        Procedure.scanned_at,
    )
    taken = connection.execute(
        update(Procedure)
        .where(*free)
        .values(lease_token=lease.token, lease_until=lease.until)
        .returning(*columns)
    ).first()
    if taken is None:
        return None
    status, failures, next_scan_at, started_at, page, pages, scanned_at = taken
    return Cursor(
        number=number,
        status=ProcedureStatus(status),
        failures=failures,
        scan_due=next_scan_at <= now or started_at is not None,
        scan_started_at=started_at,
        scan_page=page,
        scan_pages=pages,
        scanned=scanned_at is not None,
    )


def advance(connection: Connection, number: int, lease: Lease, **values: Any) -> bool:  # noqa: ANN401
    """Write `values` and keep the lease; False when it was lost, and then nothing is written."""
    return _held(connection, number, lease, values)


def release(connection: Connection, number: int, lease: Lease, **values: Any) -> bool:  # noqa: ANN401
    """Write `values` and give the lease back; False when it was lost before."""
    return _held(connection, number, lease, {**values, "lease_token": None, "lease_until": None})


def unless_paused(column: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
    """`value` for a column, but a paused procedure keeps what it has: only a person resumes it."""
    paused = Procedure.status == ProcedureStatus.PAUSED.value
    return {column: case((paused, getattr(Procedure, column)), else_=value)}


def stop(
    connection: Connection, number: int, *, reason: str, next_poll_at: datetime
) -> tuple[AuditEntry, ...]:
    """Stop an active procedure; returns its audit entry, none when it was not active."""
    changed = connection.execute(
        update(Procedure)
        .where(Procedure.number == number, Procedure.status == ProcedureStatus.ACTIVE.value)
        .values(
            status=ProcedureStatus.STOPPED.value,
            reason=reason,
            next_poll_at=next_poll_at,
            failures=0,
        )
    )
    entry = AuditEntry(step=Step.PROCEDURE_STOPPED, procedure=number, reason=reason)
    return (entry,) if changed.rowcount == 1 else ()


def pause(connection: Connection, number: int, *, reason: str) -> bool:
    """Pause a procedure, which goes on being listed; False when it was paused already."""
    changed = connection.execute(
        update(Procedure)
        .where(Procedure.number == number, Procedure.status != ProcedureStatus.PAUSED.value)
        .values(status=ProcedureStatus.PAUSED.value, reason=reason)
    )
    return changed.rowcount == 1


def set_status(
    connection: Connection,
    number: int,
    status: ProcedureStatus,
    *,
    reason: str | None,
    next_poll_at: datetime,
) -> bool:
    """Stop, pause or resume a procedure; False when it was in that status already."""
    changed = connection.execute(
        update(Procedure)
        .where(Procedure.number == number, Procedure.status != status.value)
        .values(status=status.value, reason=reason, next_poll_at=next_poll_at, failures=0)
    )
    return changed.rowcount == 1


_TABLE = table_of(Procedure)
_STATUS = select(_TABLE.c.status).where(_TABLE.c.number == bindparam("of"))
_PURGED_BEFORE = select(_TABLE.c.purged_before).where(_TABLE.c.number == bindparam("of"))


def status(connection: Connection, number: int) -> ProcedureStatus | None:
    """The status of a procedure, None when it has no row."""
    found = connection.execute(_STATUS, {"of": number}).scalar()
    return None if found is None else ProcedureStatus(found)


def purged_before(connection: Connection, number: int) -> datetime | None:
    """The latest deposit of a dossier of this procedure that was purged, None when none was."""
    found: datetime | None = connection.execute(_PURGED_BEFORE, {"of": number}).scalar()
    return found


def failing(connection: Connection, numbers: Collection[int]) -> dict[str, int]:
    """How many active procedures of `numbers` failed at their last poll, by cause."""
    query = (
        select(Procedure.reason, func.count())
        .where(
            Procedure.number.in_(numbers),
            Procedure.status == ProcedureStatus.ACTIVE.value,
            Procedure.failures > 0,
        )
        .group_by(Procedure.reason)
    )
    return {reason or "": count for reason, count in connection.execute(query)}


def listing(connection: Connection) -> Sequence[Procedure]:
    """Every procedure, as rows with the attributes of the model."""
    rows = connection.execute(select(*Procedure.__table__.columns).order_by(Procedure.number))
    return rows.all()  # type: ignore[return-value]


def _held(connection: Connection, number: int, lease: Lease, values: dict[str, Any]) -> bool:
    written = connection.execute(
        update(_TABLE)
        .where(_TABLE.c.number == number, _TABLE.c.lease_token == lease.token)
        .values(values)
    )
    return written.rowcount == 1


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(Procedure.lease_until.is_(None), Procedure.lease_until <= now)
