"""Assigning decided dossiers to units: the plan of each change, and its deliveries."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from routing.assignment import Assignment, Event, Notification, Plan, plan
from routing.decision import Decision
from routing.office_days import next_opening
from routing.outcome import Decided
from routing.ruleset import RuleSet
from routing.units import GROUP_CHANNEL, MAIL_CHANNEL
from store import deliveries, dossier_outcomes, groups
from store.audit.log import AuditEntry, Step
from store.deliveries import Order
from store.dossiers import DossierRecord


@dataclass(frozen=True, slots=True)
class Change:
    """A dossier as it is stored, what was decided on it, and the reading's time in milliseconds."""

    dossier: DossierRecord
    decided: Decided
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class Assigned:
    """What one change made necessary.

    Attributes:
        assignment: the units of the dossier from now on.
        orders: the deliveries that were queued.
        entries: the audit entries, which the caller appends.
    """

    assignment: Assignment
    orders: tuple[Order, ...]
    entries: tuple[AuditEntry, ...]


def assign(
    connection: Connection,
    rules: RuleSet,
    changes: Sequence[Change],
    now: datetime,
    *,
    followed: Collection[int],
) -> tuple[Assigned, ...]:
    """Plan each change, withdraw what is no longer true and queue what must be told.

    Args:
        connection: the transaction that also stores the decisions.
        rules: the rule set in force, which names the channels of units.
        changes: of dossiers that are locked or leased.
        now: the present instant.
        followed: ids of the procedures whose dossiers are moved to their unit's group in TPS.
    """
    moving = [each.dossier.key for each in changes if _moves(each)]
    changing = [each.dossier.key for each in changes if _moves(each) or _informs(each)]
    unsent = deliveries.unsent(connection, changing)
    overtaken = groups.withdraw_moves(connection, moving, now)
    told = deliveries.told(connection, [each.dossier.key for each in changes if _informs(each)])
    nobody: frozenset[str] = frozenset()
    plans = [
        _plan(each, unsent.get(each.dossier.key, frozenset()), told.get(each.dossier.key, nobody))
        for each in changes
    ]
    for each, planned in zip(changes, plans, strict=True):
        deliveries.withdraw(connection, *each.dossier.key, planned.withdraw, now)
    assigned = tuple(
        _assigned(rules, change, planned, now, followed=followed, overtaken=overtaken)
        for change, planned in zip(changes, plans, strict=True)
    )
    deliveries.queue(connection, [order for each in assigned for order in each.orders], now)
    return assigned


def reassign(
    connection: Connection,
    rules: RuleSet,
    changes: Sequence[Change],
    now: datetime,
    *,
    followed: Collection[int],
) -> tuple[Assigned, ...]:
    """Assign dossiers, and store decisions that were taken on stored facts."""
    assigned = assign(connection, rules, changes, now, followed=followed)
    for change, each in zip(changes, assigned, strict=True):
        if change.decided.decision is not None:
            dossier_outcomes.redecide(
                connection, change.dossier, change.decided.decision, each.assignment, now
            )
    return assigned


def _moves(change: Change) -> bool:
    """Whether a dossier that has units gets others: what was not sent may then be withdrawn."""
    decision, current = change.decided.decision, change.dossier.assignment
    return (
        decision is not None and current.ordinal > 0 and set(decision.units) != set(current.units)
    )


def _informs(change: Change) -> bool:
    """Whether a dossier that has units is told for information: some unit may know of it."""
    decision = change.decided.decision
    return decision is not None and bool(decision.inform) and change.dossier.assignment.ordinal > 0


def _plan(change: Change, unsent: frozenset[Notification], told: frozenset[str]) -> Plan:
    decision, current = change.decided.decision, change.dossier.assignment
    if decision is None:
        return Plan(current)
    return plan(
        current,
        decision.units,
        inform=decision.inform,
        told=told,
        unsent=unsent,
        silent=change.decided.silent,
    )


def _assigned(
    rules: RuleSet,
    change: Change,
    planned: Plan,
    now: datetime,
    *,
    followed: Collection[int],
    overtaken: Sequence[AuditEntry],
) -> Assigned:
    dossier = change.dossier
    told = tuple(
        Order(
            procedure=dossier.procedure,
            number=dossier.number,
            notification=notification,
            channel=channel,
            assignment=planned.assignment.ordinal,
            lane=dossier.lane,
            digest_at=digest_at(rules, change.decided.decision, notification, channel, now),
        )
        for notification in planned.notify
        for channel in channels_of(rules, notification.unit)
    )
    moves = _moves_in_tps(rules, change, planned) if dossier.procedure in followed else ()
    orders = (*told, *moves)
    entries = (
        *(_entry(dossier, Step.CANCELLED, each) for each in planned.withdraw),
        *(each for each in overtaken if (each.procedure, each.number) == dossier.key),
        *_reassigned(dossier, planned.assignment),
        *(_entry(dossier, Step.QUEUED, order.notification, order.channel) for order in orders),
    )
    return Assigned(planned.assignment, orders, entries)


def _moves_in_tps(rules: RuleSet, change: Change, planned: Plan) -> tuple[Order, ...]:
    """The move of a dossier with new units to the group of the first of them that has one.

    It does not depend on who is told: a unit may get back a dossier without hearing of it.
    """
    dossier, units = change.dossier, planned.assignment.units
    if planned.assignment.ordinal == dossier.assignment.ordinal or change.decided.silent:
        return ()
    with_group = (code for code in units if code in rules.units and rules.units[code].has_group)
    unit = next(with_group, None)
    if unit is None:
        return ()
    first = dossier.assignment.ordinal == 0
    notification = Notification(Event.FILED if first else Event.REASSIGNED_TO, unit)
    order = Order(
        procedure=dossier.procedure,
        number=dossier.number,
        notification=notification,
        channel=GROUP_CHANNEL,
        assignment=planned.assignment.ordinal,
        lane=dossier.lane,
    )
    return (order,)


def _reassigned(dossier: DossierRecord, assignment: Assignment) -> tuple[AuditEntry, ...]:
    if dossier.assignment.ordinal == 0 or assignment == dossier.assignment:
        return ()
    return tuple(
        AuditEntry(
            step=Step.REASSIGNED, procedure=dossier.procedure, number=dossier.number, unit=unit
        )
        for unit in assignment.units
    )


def _entry(
    dossier: DossierRecord, step: Step, notification: Notification, channel: str | None = None
) -> AuditEntry:
    return AuditEntry(
        step=step,
        procedure=dossier.procedure,
        number=dossier.number,
        event=notification.event.value,
        unit=notification.unit,
        channel=channel,
    )


def digest_at(
    rules: RuleSet,
    decision: Decision | None,
    notification: Notification,
    channel: str,
    now: datetime,
) -> datetime | None:
    """When the digest is made that tells `notification`; None when it is told by itself, at once.

    What no rule could place is urgent: it always comes by itself, but for information.
    """
    unit = rules.units.get(notification.unit)
    if unit is None or unit.digest is None or channel not in unit.carriers:
        return None
    informs = notification.event is Event.INFORMED
    if decision is not None and not decision.routed and not informs:
        return None
    gets_it = decision is not None and notification.unit in decision.units and not informs
    if not unit.digest.takes(decision.notify if decision and gets_it else None):
        return None
    return next_opening(now, unit.digest.times, unit.place, every_day=unit.digest.every_day)


def channels_of(rules: RuleSet, unit: str) -> tuple[str, ...]:
    """The kinds of channel by which a unit is told; mail where it names none, so that it shows."""
    known = rules.units.get(unit)
    return (known.told_by if known else ()) or (MAIL_CHANNEL,)
