"""The commit that settles claimed dossiers: facts, decisions, outbox, quarantine, audit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from routing.decision import Decision
from routing.drift import DRIFT, Count, DrivingField, count
from routing.facts import Facts
from routing.failures import Cause
from routing.quarantine import PutAside
from routing.ruleset import RuleSet
from store import dossier_claims, dossier_outcomes, drift, procedures
from store.assign import Assigned, Change, assign
from store.audit.log import AuditEntry, AuditLog, Step
from store.dossier_outcomes import Settlement
from store.dossiers import DossierRecord, DossierStatus
from store.leases import Lease


@dataclass(frozen=True, slots=True)
class Unread:
    """A dossier that could not be read, and how long that took in milliseconds."""

    dossier: DossierRecord
    put_aside: PutAside
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Claimed dossiers of one procedure, and what is to be stored of them.

    Attributes:
        procedure: its id.
        rules: the rule set that decided.
        lease: of the claim; dossiers that it no longer holds are left as they are.
        claimed: numbers of all dossiers of the claim.
        read: those whose facts are known, with what was decided.
        unread: those that could not be read.
        rest_due_at: when the others are due again.
        stop: why the procedure is stopped, None when it goes on.
        probe_at: when a stopped procedure is polled again.
        access_hash: keyed, of the address and the token that TPS was asked with.
        followed: ids of the procedures whose dossiers are moved to their unit's group in TPS.
    """

    procedure: int
    rules: RuleSet
    lease: Lease
    claimed: tuple[int, ...]
    read: tuple[Change, ...]
    unread: tuple[Unread, ...]
    rest_due_at: datetime
    stop: Cause | None
    probe_at: datetime
    access_hash: str | None = None
    followed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How many dossiers of a batch went which way.

    Attributes:
        routed: went to a competent unit.
        unrouted: went to the fallback unit.
        recorded: of these, seen for the first time without any office being told.
        quarantined: could not be read.
        gone: no longer exist in TPS.
        held: kept back, because the form seems to have changed.
        queued: deliveries queued.
        given_back: were not read, and are due again.
        paused: whether this batch paused the procedure.
    """

    routed: int = 0
    unrouted: int = 0
    recorded: int = 0
    quarantined: int = 0
    gone: int = 0
    held: int = 0
    queued: int = 0
    given_back: int = 0
    paused: bool = False


def store_batch(connection: Connection, audit: AuditLog, batch: Batch, now: datetime) -> Settled:
    """Store a batch in the transaction of `connection`, and return how it went."""
    leased = dossier_claims.held(connection, batch.procedure, batch.claimed, batch.lease)
    read = [change for change in batch.read if change.dossier.number in leased]
    unread = [each for each in batch.unread if each.dossier.number in leased]
    seen = _count(read)
    if read and drift.must_hold(connection, batch.procedure, seen):
        settled, entries = _hold(connection, batch, read, now)
        accepted = False
    else:
        settled, entries = _store(connection, batch, read, leased, now)
        accepted = bool(read)
    aside = [_put_aside(connection, batch.lease, each, now) for each in unread]
    stopped = _stop(connection, batch)
    given_back = _give_back(connection, batch)
    audit.append(connection, now, [*entries, *aside, *stopped])
    if accepted:
        # The last statement: other batches of the procedure wait for these rows.
        drift.accept(connection, batch.procedure, seen)
    gone = sum(each.put_aside.gone for each in unread)
    return replace(settled, gone=gone, quarantined=len(unread) - gone, given_back=given_back)


def _count(read: Sequence[Change]) -> Mapping[DrivingField, Count]:
    return count((change.dossier.facts, change.decided.facts) for change in read)


def _hold(
    connection: Connection, batch: Batch, read: Sequence[Change], now: datetime
) -> tuple[Settled, tuple[AuditEntry, ...]]:
    """Pause the procedure, and keep back what was read of it until a person resumes it."""
    procedure = batch.procedure
    numbers = [change.dossier.number for change in read]
    paused = procedures.pause(connection, procedure, reason=DRIFT)
    dossier_outcomes.hold(connection, procedure, numbers, batch.lease, reason=DRIFT, now=now)
    pause = [AuditEntry(step=Step.PROCEDURE_PAUSED, procedure=procedure, reason=DRIFT)]
    held = (
        AuditEntry(step=Step.HELD, procedure=procedure, number=number, reason=DRIFT)
        for number in numbers
    )
    entries = (*(pause if paused else ()), *held)
    return Settled(held=len(numbers), paused=paused), entries


def _store(
    connection: Connection,
    batch: Batch,
    read: Sequence[Change],
    leased: Mapping[int, datetime | None],
    now: datetime,
) -> tuple[Settled, tuple[AuditEntry, ...]]:
    """Store facts and decisions, and queue the deliveries that they make necessary."""
    assigned = assign(connection, batch.rules, read, now, followed=batch.followed)
    pairs = tuple(zip(read, assigned, strict=True))
    dossier_outcomes.write_settlements(
        connection,
        batch.lease,
        [_settlement(change, each, leased[change.dossier.number], now) for change, each in pairs],
    )
    entries = tuple(
        entry for change, each in pairs for entry in (*_decision_entries(change), *each.entries)
    )
    return _counted(pairs), entries


def _settlement(
    change: Change, assigned: Assigned, listed_change_at: datetime | None, now: datetime
) -> Settlement:
    changed_meanwhile = listed_change_at != change.dossier.listed_change_at
    return Settlement(
        facts=change.decided.facts,
        status=DossierStatus.ROUTED,
        reason=None,
        decision=change.decided.decision,
        assignment=assigned.assignment,
        next_attempt_at=now if changed_meanwhile else None,
        decided_at=now,
    )


def _counted(pairs: Sequence[tuple[Change, Assigned]]) -> Settled:
    decided = [
        (decision, change.dossier.assignment.ordinal == 0 and not each.orders)
        for change, each in pairs
        if (decision := change.decided.decision) is not None
    ]
    routed = sum(decision.routed for decision, _ in decided)
    return Settled(
        routed=routed,
        unrouted=len(decided) - routed,
        recorded=sum(unannounced for _, unannounced in decided),
        queued=sum(len(each.orders) for _, each in pairs),
    )


def _decision_entries(change: Change) -> tuple[AuditEntry, ...]:
    facts, decision = change.decided.facts, change.decided.decision
    if decision is not None:
        return (_classified(change), *_routed(facts, decision))
    return () if change.dossier.status is DossierStatus.ROUTED else (_classified(change),)


def _classified(change: Change) -> AuditEntry:
    facts = change.decided.facts
    return AuditEntry(
        step=Step.CLASSIFIED,
        procedure=facts.procedure,
        number=facts.number,
        reason=facts.department_source.value,
        duration_ms=change.duration_ms,
    )


def _routed(facts: Facts, decision: Decision) -> tuple[AuditEntry, ...]:
    return tuple(
        AuditEntry(
            step=Step.ROUTED if decision.routed else Step.UNROUTED,
            procedure=facts.procedure,
            number=facts.number,
            unit=unit,
            rule=decision.rule,
            ruleset=decision.ruleset,
            reason=decision.reasons[0].value if decision.reasons else None,
        )
        for unit in decision.units
    )


def _put_aside(connection: Connection, lease: Lease, unread: Unread, now: datetime) -> AuditEntry:
    """Quarantine a dossier, or mark it as gone."""
    dossier, aside = unread.dossier, unread.put_aside
    dossier_outcomes.put_aside(
        connection,
        dossier.procedure,
        dossier.number,
        lease,
        status=DossierStatus.GONE if aside.gone else DossierStatus.QUARANTINED,
        reason=aside.cause.value,
        attempts=aside.attempts,
        worker_losses=aside.worker_losses,
        next_attempt_at=None if aside.wait is None else now + aside.wait,
        now=now,
    )
    return AuditEntry(
        step=Step.GONE if aside.gone else Step.QUARANTINED,
        procedure=dossier.procedure,
        number=dossier.number,
        reason=aside.cause.value,
        attempt=aside.attempts,
        duration_ms=unread.duration_ms,
    )


def _stop(connection: Connection, batch: Batch) -> tuple[AuditEntry, ...]:
    if batch.stop is None:
        return ()
    return procedures.stop(
        connection,
        batch.procedure,
        reason=batch.stop.value,
        next_poll_at=batch.probe_at,
        access_hash=batch.access_hash,
    )


def _give_back(connection: Connection, batch: Batch) -> int:
    """Make due again what the claim still holds; how many dossiers that is."""
    settled = {change.dossier.number for change in batch.read}
    settled |= {each.dossier.number for each in batch.unread}
    rest = sorted(set(batch.claimed) - settled)
    if not rest:
        return 0
    return dossier_claims.give_back(
        connection, batch.procedure, rest, batch.lease, due_at=batch.rest_due_at
    )
