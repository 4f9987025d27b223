"""What became of claimed dossiers: settled with facts and a decision, put aside, held back."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    func,
    update,
)

from routing.assignment import Assignment
from routing.decision import Decision
from routing.facts import Facts
from store.bulk import update_leased
from store.dossier_claims import held_by
from store.dossiers import BACKLOG, DossierRecord, DossierStatus
from store.leases import Lease
from store.models import Dossier


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


def write_settlements(
    connection: Connection, lease: Lease, settlements: Iterable[Settlement]
) -> None:
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
        "ended_at": facts.changed_at if facts.state.ended else None,
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
        .where(*held_by(procedure, numbers, lease))
        .values(
            status=DossierStatus.HELD.value,
            reason=reason,
            next_attempt_at=None,
            lane=int(BACKLOG),
            lease_token=None,
            aside_since=func.coalesce(Dossier.aside_since, now),
        )
    )


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
