"""Procedures that are polled: which there are, which are due, which are stopped or paused."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from store.audit.log import AuditEntry, Step
from store.base import table_of
from store.models import Procedure
from store.upsert import insert_new


class ProcedureStatus(StrEnum):
    """`stopped`: TPS refuses us; `paused`: its dossiers are held until a person resumes it."""

    ACTIVE = "active"
    STOPPED = "stopped"
    PAUSED = "paused"


def register(connection: Connection, numbers: Iterable[int], now: datetime) -> None:
    """Make a row for every configured procedure that has none; it is due at once."""
    known = set(connection.execute(select(Procedure.number)).scalars())
    rows = [
        {"number": number, "next_poll_at": now, "next_scan_at": now}
        for number in sorted(set(numbers) - known)
    ]
    if rows:
        connection.execute(insert_new(connection, Procedure), rows)


def due(
    connection: Connection,
    numbers: Collection[int],
    now: datetime,
    *,
    early: timedelta = timedelta(),
) -> Sequence[int]:
    """Those of `numbers` that are to be polled and that no worker polls, longest due first.

    Args:
        connection: the transaction.
        numbers: of procedures.
        now: the present instant.
        early: how long before its time one that TPS refused is among them: the poll knows
            whether there is another token now.
    """
    refused = and_(_REFUSED, Procedure.next_poll_at <= now + early)
    query = (
        select(Procedure.number)
        .where(
            Procedure.number.in_(numbers),
            or_(Procedure.next_poll_at <= now, refused),
            unleased(now),
        )
        .order_by(Procedure.next_poll_at)
    )
    return connection.execute(query).scalars().all()


_REFUSED = and_(
    Procedure.status != ProcedureStatus.ACTIVE.value, Procedure.refused_access.is_not(None)
)


def due_with(access_hash: str | None, now: datetime, early: timedelta) -> ColumnElement[bool]:
    """Whether a procedure's time has come, or will within `early` where TPS refused another access.

    Not at once: workers with two accesses, both refused, would take turns at every tick.
    """
    time_has_come = Procedure.next_poll_at <= now
    if access_hash is None:
        return time_has_come
    other = and_(_REFUSED, Procedure.refused_access != access_hash)
    return or_(time_has_come, and_(other, Procedure.next_poll_at <= now + early))


def unless_paused(column: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
    """`value` for a column, but a paused procedure keeps what it has: only a person resumes it."""
    paused = Procedure.status == ProcedureStatus.PAUSED.value
    return {column: case((paused, getattr(Procedure, column)), else_=value)}


def stop(
    connection: Connection,
    number: int,
    *,
    reason: str,
    next_poll_at: datetime,
    access_hash: str | None = None,
) -> tuple[AuditEntry, ...]:
    """Stop an active procedure; returns its audit entry, none when it was not active.

    Args:
        connection: the transaction.
        number: of the procedure.
        reason: code of the refusal.
        next_poll_at: when it is polled again by itself.
        access_hash: of the address and the token that TPS refused; with others it is polled
            before that.
    """
    changed = connection.execute(
        update(Procedure)
        .where(Procedure.number == number, Procedure.status == ProcedureStatus.ACTIVE.value)
        .values(
            status=ProcedureStatus.STOPPED.value,
            reason=reason,
            next_poll_at=next_poll_at,
            failures=0,
            refused_access=access_hash,
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
        .values(
            status=status.value,
            reason=reason,
            next_poll_at=next_poll_at,
            failures=0,
            refused_access=None,
        )
    )
    return changed.rowcount == 1


_TABLE = table_of(Procedure)
_STATUS = select(_TABLE.c.status).where(_TABLE.c.number == bindparam("of"))
_CURSOR = select(_TABLE.c.cursor).where(_TABLE.c.number == bindparam("of"))
_PURGED_BEFORE = select(_TABLE.c.purged_before).where(_TABLE.c.number == bindparam("of"))


def status(connection: Connection, number: int) -> ProcedureStatus | None:
    """The status of a procedure, None when it has no row."""
    found = connection.execute(_STATUS, {"of": number}).scalar()
    return None if found is None else ProcedureStatus(found)


def cursor(connection: Connection, number: int) -> str | None:
    """The stored cursor of a procedure, None before its first page."""
    found: str | None = connection.execute(_CURSOR, {"of": number}).scalar()
    return found


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


def listed_since(connection: Connection, numbers: Collection[int], instant: datetime) -> bool:
    """Whether each of `numbers`, unless it is stopped, was once listed whole, and polled since."""
    active = Procedure.status == ProcedureStatus.ACTIVE.value
    behind = or_(
        Procedure.scanned_at.is_(None), Procedure.polled_at.is_(None), Procedure.polled_at < instant
    )
    query = select(Procedure.number, and_(active, behind)).where(Procedure.number.in_(numbers))
    rows = connection.execute(query).all()
    return len(rows) == len(set(numbers)) and not any(waits for _, waits in rows)


def last_poll(connection: Connection) -> datetime | None:
    """When any procedure was last polled to its end, None before the first time."""
    return connection.execute(select(func.max(Procedure.polled_at))).scalar()


def unleased(now: datetime) -> ColumnElement[bool]:
    """Whether no worker polls a procedure at this instant."""
    return or_(Procedure.lease_until.is_(None), Procedure.lease_until <= now)
