"""Dossiers: claimed to be read, settled with what was decided, listed for people."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Text,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from routing.assignment import Assignment
from routing.decision import Decision
from routing.facts import DepartmentSource, DossierState, Facts, Filer, Reason
from store.bulk import update_leased
from store.leases import Lease
from store.models import Dossier, Procedure, table_of
from store.number_filter import number_in


class DossierStatus(StrEnum):
    """Where a dossier stands with us."""

    PENDING = "pending"
    ROUTED = "routed"
    QUARANTINED = "quarantined"
    HELD = "held"
    GONE = "gone"


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


def _stored(row: Any) -> DossierRecord:  # noqa: ANN401
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
    return [_stored(row) for row in taken]


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
    return [_stored(row) for row in taken]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What became of a claimed dossier that could be read."""

    facts: Facts
    status: DossierStatus
    reason: str | None
    decision: Decision | None
    assignment: Assignment
    next_attempt_at: datetime | None
    decided_at: datetime | None


def settle(connection: Connection, lease: Lease, settlements: Iterable[Settlement]) -> None:
    """Write facts and decisions of dossiers that `lease` holds, and give them back."""
    decided: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for settlement in settlements:
        (kept if settlement.decision is None else decided).append(_settled(settlement))
    for rows in (decided, kept):
        update_leased(
            connection,
            Dossier,
            rows,
            keys=("procedure", "number"),
            fixed=_SETTLED,
            # The first change that showed it decided: later ones are messages and follow-ups.
            first=("ended_at",),
            lease=lease.token,
        )


_SETTLED = (
    ("attempts", 0),
    ("absences", 0),
    ("worker_losses", 0),
    ("lease_token", None),
    ("aside_since", None),
)


def _settled(settlement: Settlement) -> dict[str, Any]:
    facts, decision = settlement.facts, settlement.decision
    values: dict[str, Any] = {
        "procedure": facts.procedure,
        "number": facts.number,
        "status": settlement.status.value,
        "reason": settlement.reason,
        "next_attempt_at": settlement.next_attempt_at,
        "state": facts.state.value,
        "filed_at": facts.filed_at,
        "changed_at": facts.changed_at,
        "permit_type": facts.permit_type,
        "department": facts.department,
        "department_source": facts.department_source.value,
        "filer": facts.filer.value,
        "fact_reasons": tuple(reason.value for reason in facts.reasons),
        "facts_hash": facts.fingerprint,
        "ended_at": facts.changed_at if facts.state.decided else None,
    }
    if decision is not None:
        values |= {
            "units": settlement.assignment.units,
            "rule": decision.rule,
            "ruleset": decision.ruleset,
            "reasons": tuple(reason.value for reason in decision.reasons),
            "unrouted": not decision.routed,
            "assignment": settlement.assignment.ordinal,
            "decided_at": settlement.decided_at,
        }
    return values


def put_aside(
    connection: Connection,
    procedure: int,
    number: int,
    lease: Lease,
    *,
    status: DossierStatus,
    reason: str,
    attempts: int,
    worker_losses: int,
    next_attempt_at: datetime | None,
    now: datetime,
) -> None:
    """Quarantine, or mark as gone, a dossier that `lease` holds and that could not be read."""
    gone = status is DossierStatus.GONE
    connection.execute(
        update(Dossier)
        .where(
            Dossier.procedure == procedure,
            Dossier.number == number,
            Dossier.lease_token == lease.token,
        )
        .values(
            status=status.value,
            reason=reason,
            attempts=attempts,
            worker_losses=worker_losses,
            next_attempt_at=next_attempt_at,
            lane=int(BACKLOG),
            lease_token=None,
            aside_since=None if gone else func.coalesce(Dossier.aside_since, now),
            ended_at=func.coalesce(Dossier.ended_at, now) if gone else Dossier.ended_at,
        )
    )


def hold(
    connection: Connection,
    procedure: int,
    numbers: Collection[int],
    lease: Lease,
    *,
    reason: str,
    now: datetime,
) -> None:
    """Keep back those of `numbers` that `lease` holds, until their procedure is resumed."""
    connection.execute(
        update(Dossier)
        .where(*_ours(procedure, numbers, lease))
        .values(
            status=DossierStatus.HELD.value,
            reason=reason,
            next_attempt_at=None,
            lane=int(BACKLOG),
            lease_token=None,
            aside_since=func.coalesce(Dossier.aside_since, now),
        )
    )


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
        .where(*_ours(procedure, numbers, lease))
        .values(lease_token=None, next_attempt_at=due_at)
    )
    return given.rowcount


def _ours(
    procedure: int, numbers: Collection[int], lease: Lease
) -> tuple[ColumnElement[bool], ...]:
    return (
        Dossier.procedure == procedure,
        Dossier.number.in_(numbers),
        Dossier.lease_token == lease.token,
    )


def get(
    connection: Connection, procedure: int, number: int, *, lock: bool = False
) -> DossierRecord | None:
    """One dossier, None when it is not known; `lock` keeps it from others until the commit."""
    query = select(*COLUMNS).where(Dossier.procedure == procedure, Dossier.number == number)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return None if row is None else _stored(row)


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

    Whoever is reading it at this moment loses it, and it is due again: a decision taken
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


def undecided(
    connection: Connection, *, ruleset: str, after: tuple[int, int], limit: int
) -> list[DossierRecord]:
    """Dossiers that no office has decided and that another rule set than `ruleset` placed.

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
    return [_stored(row) for row in connection.execute(query)]


def redecide(
    connection: Connection,
    dossier: DossierRecord,
    decision: Decision,
    assignment: Assignment,
    now: datetime,
) -> None:
    """Store a new decision on the facts that are stored."""
    connection.execute(
        update(Dossier)
        .where(Dossier.procedure == dossier.procedure, Dossier.number == dossier.number)
        .values(
            units=assignment.units,
            rule=decision.rule,
            ruleset=decision.ruleset,
            reasons=tuple(reason.value for reason in decision.reasons),
            unrouted=not decision.routed,
            assignment=assignment.ordinal,
            decided_at=now,
        )
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
    return [_stored(row) for row in connection.execute(query.limit(limit))]


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
    """Make dossiers in `statuses` due at once, unless somebody holds them; returns how many.

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
