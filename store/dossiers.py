"""Dossiers as they are stored: looked up, listed, pinned, made due again.

Pages of lists bring them in (`store.listing`), workers claim them (`store.dossier_claims`)
and settle them (`store.dossier_outcomes`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Text,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from routing.assignment import Assignment
from routing.facts import DepartmentSource, DossierState, Facts, Filer, Reason
from store.base import table_of
from store.models import Dossier, Procedure
from store.states import DossierStatus as DossierStatus  # noqa: PLC0414 - exported


class Lane(int):
    """The order in which due dossiers and deliveries are taken: the lowest first."""


FRESH = Lane(0)
"""Just filed: nothing that is being caught up on may keep it waiting."""

BACKLOG = Lane(1)
"""Found by a full scan, changed, or decided anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierRecord:
    """A dossier as it is stored.

    Attributes:
        facts: the facts last read, None before the first reading.
        assignment: who has it.
        listed_change_at: the last change that TPS's list told of.
        absences: full scans in a row that missed it.
        worker_losses: workers in a row that ended while they held it.
    """

    procedure: int
    number: int
    status: DossierStatus
    attempts: int
    absences: int
    worker_losses: int
    lane: int
    seen_at: datetime
    listed_change_at: datetime | None
    facts: Facts | None
    assignment: Assignment
    rule: str | None
    ruleset: str | None
    reasons: tuple[str, ...]
    unrouted: bool
    pinned_unit: str | None
    pinned_reason: str | None
    reason: str | None

    @property
    def key(self) -> tuple[int, int]:
        """Its procedure and number, which identify it."""
        return self.procedure, self.number


_TABLE = table_of(Dossier)
_THIS = _TABLE.c
_PROCEDURES = table_of(Procedure).c
COLUMNS = tuple(_THIS)


def record_of(row: Any) -> DossierRecord:  # noqa: ANN401
    """The dossier in a row of `COLUMNS`."""
    return DossierRecord(
        procedure=row.procedure,
        number=row.number,
        status=DossierStatus(row.status),
        attempts=row.attempts,
        absences=row.absences,
        worker_losses=row.worker_losses,
        lane=row.lane,
        seen_at=row.seen_at,
        listed_change_at=row.listed_change_at,
        facts=read_facts(row),
        assignment=Assignment(row.units, row.assignment),
        rule=row.rule,
        ruleset=row.ruleset,
        reasons=row.reasons,
        unrouted=row.unrouted,
        pinned_unit=row.pinned_unit,
        pinned_reason=row.pinned_reason,
        reason=row.reason,
    )


def read_facts(row: Any) -> Facts | None:  # noqa: ANN401
    """The facts in a row of the table, None before the first reading."""
    if row.facts_hash is None:
        return None
    return Facts(
        procedure=row.procedure,
        number=row.number,
        state=DossierState(row.state),
        filed_at=row.filed_at,
        changed_at=row.changed_at,
        permit_type=row.permit_type,
        department=row.department,
        department_source=DepartmentSource(row.department_source),
        filer=Filer(row.filer),
        reasons=tuple(Reason(code) for code in row.fact_reasons),
    )


def get(
    connection: Connection, procedure: int, number: int, *, lock: bool = False
) -> DossierRecord | None:
    """One dossier, None when it is not known; `lock` keeps it from others until the commit."""
    query = select(*COLUMNS).where(Dossier.procedure == procedure, Dossier.number == number)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return None if row is None else record_of(row)


def pin(
    connection: Connection,
    procedure: int,
    number: int,
    *,
    unit: str | None,
    reason: str | None,
    now: datetime,
) -> None:
    """Pin a dossier to a unit, or unpin it with None.

    A worker that is reading it at this moment loses it, and it is due again: a decision taken
    without knowing of the pin must not be stored over it.
    """
    claimed = Dossier.lease_token.is_not(None)
    connection.execute(
        update(Dossier)
        .where(Dossier.procedure == procedure, Dossier.number == number)
        .values(
            pinned_unit=unit,
            pinned_reason=reason,
            next_attempt_at=case((claimed, now), else_=Dossier.next_attempt_at),
            lease_token=None,
        )
    )


def open_under_other_rules(
    connection: Connection, *, ruleset: str, after: tuple[int, int], limit: int
) -> list[DossierRecord]:
    """Dossiers that have not ended and that another rule set than `ruleset` placed.

    In the order of procedure and number, behind `after`, locked until the commit.
    """
    query = (
        select(*COLUMNS)
        .where(
            tuple_(Dossier.procedure, Dossier.number) > after,
            Dossier.status == DossierStatus.ROUTED.value,
            Dossier.state.in_([DossierState.INITIATED.value, DossierState.RECEIVED.value]),
            Dossier.ruleset != ruleset,
            Dossier.lease_token.is_(None),
        )
        .order_by(Dossier.procedure, Dossier.number)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [record_of(row) for row in connection.execute(query)]


def listing(
    connection: Connection,
    *,
    status: DossierStatus | None = None,
    procedure: int | None = None,
    unrouted: bool = False,
    unit: str | None = None,
    department: str | None = None,
    permit_type: str | None = None,
    state: DossierState | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> list[DossierRecord]:
    """Dossiers by procedure and number, filtered.

    Args:
        connection: the transaction.
        status: where they stand here.
        procedure: id of their form.
        unrouted: only those that went to the fallback unit.
        unit: code of a unit that has them.
        department: code of their département of competence.
        permit_type: code of their permit type.
        state: their state in TPS.
        since: filed at this instant or later; those never read are first seen then.
        limit: at most so many.
    """
    conditions: list[ColumnElement[bool]] = []
    equal = {
        Dossier.department: department,
        Dossier.permit_type: permit_type,
        Dossier.state: state.value if state else None,
    }
    conditions += [column == value for column, value in equal.items() if value is not None]
    if unit is not None:
        listed = literal(",").concat(cast(_THIS.units, Text)).concat(",")
        conditions.append(listed.contains(f",{unit},", autoescape=True))
    if since is not None:
        conditions.append(func.coalesce(Dossier.filed_at, Dossier.seen_at) >= since)
    if status is not None:
        conditions.append(Dossier.status == status.value)
    if procedure is not None:
        conditions.append(Dossier.procedure == procedure)
    if unrouted:
        conditions.append(Dossier.unrouted.is_(True))
    query = select(*COLUMNS).where(*conditions).order_by(Dossier.procedure, Dossier.number)
    return [record_of(row) for row in connection.execute(query.limit(limit))]


def counts(connection: Connection) -> dict[str, int]:
    """How many dossiers stand in each status, and how many are `unrouted`."""
    query = select(Dossier.status, func.count()).group_by(Dossier.status)
    found = dict(connection.execute(query).all())
    unrouted = select(func.count()).select_from(Dossier).where(Dossier.unrouted)
    return {**found, "unrouted": connection.execute(unrouted).scalar_one()}


def due_again(
    connection: Connection,
    *,
    procedure: int,
    statuses: Collection[DossierStatus],
    now: datetime,
    reasons: Collection[str] = (),
) -> int:
    """Make dossiers in `statuses` due at once, unless a worker has them; returns how many.

    Args:
        connection: the transaction.
        procedure: id of their procedure.
        statuses: the statuses meant.
        now: the present instant.
        reasons: only those that are there for one of these; any when empty.
    """
    conditions = [
        Dossier.procedure == procedure,
        Dossier.status.in_([status.value for status in statuses]),
        Dossier.lease_token.is_(None),
        or_(Dossier.next_attempt_at.is_(None), Dossier.next_attempt_at > now),
    ]
    if reasons:
        conditions.append(Dossier.reason.in_(reasons))
    changed = connection.execute(update(Dossier).where(*conditions).values(next_attempt_at=now))
    return changed.rowcount
