"""Routing a batch: claimed dossiers are read, decided, and settled in one commit.

The commit holds everything that follows from a reading: facts, decision, the deliveries
that must be made, the audit lines. No database connection is held while TPS is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from config import logs
from routing.assignment import Assignment, Notification, Plan, plan
from routing.decision import Decision
from routing.facts import Facts, Reason
from routing.failures import Action, Cause, Failure
from routing.forms import Form
from routing.retries import QUARANTINE_LONGEST_DELAY, delay
from routing.ruleset import RuleSet
from service import schema_drift
from service.clock import PARIS, paris_day
from service.guards.breakers import BreakerState
from service.guards.limits import (
    DEATHS_BEFORE_ALONE,
    LEASE,
    ROUTE_BATCH,
    STOPPED_PROBE_INTERVAL,
    WORK_BUDGET,
)
from service.guards.time_limit import TimeLimitReached
from service.read import Reading, concerns_all, lost, read_all, reading_state
from service.runtime import Runtime
from store import deliveries, dossiers, procedures
from store.audit.log import AuditEntry, Step
from store.deliveries import Order
from store.dossiers import ABSENCES_BEFORE_ASKING, DossierRecord, DossierStatus, Settlement
from store.leases import Lease
from store.procedures import ProcedureStatus

log = logs.get_logger("tasks")

PINNED_RULE = "pinned"
"""Stands where a rule's id would: a person gave the dossier to a unit."""


@dataclass(slots=True)
class RouteReport:
    """What became of one batch."""

    claimed: int = 0
    routed: int = 0
    unrouted: int = 0
    quarantined: int = 0
    held: int = 0
    gone: int = 0
    recorded: int = 0
    """Of those routed: seen for the first time, and told to nobody."""
    queued: int = 0
    given_back: int = 0
    more: bool = False
    """Whether there may be more to claim at once."""
    cause: str | None = None
    """Why a dossier was not read: the last code."""

    def add(self, other: "RouteReport") -> None:
        """Count another batch in."""
        for slot in fields(self):
            if slot.name == "cause":
                self.cause = other.cause or self.cause
            elif slot.name != "more":
                setattr(self, slot.name, getattr(self, slot.name) + getattr(other, slot.name))


def route(runtime: Runtime, procedure: int, *, limit: int = ROUTE_BATCH) -> RouteReport:
    """Read and settle up to `limit` due dossiers of a procedure."""
    rules = runtime.rules()
    form = rules.forms.get(procedure)
    if form is None or not _claimable(runtime, procedure):
        return RouteReport()
    state = reading_state(runtime, procedure)
    if state is BreakerState.OPEN:
        return RouteReport()
    limit = 1 if state is BreakerState.HALF_OPEN else limit
    lease = Lease(runtime.clock(), LEASE)
    with runtime.database.begin() as connection:
        claimed = dossiers.claim(
            connection, procedure, limit=limit, lease=lease, now=runtime.clock()
        )
    if not claimed:
        return RouteReport()
    if len(claimed) == ROUTE_BATCH:
        # Another process may have the rest meanwhile.
        runtime.waker.route(procedure)
    chosen = _alone(runtime, lease, claimed)
    batch = _Batch(runtime, rules, form, lease, chosen)
    try:
        halted = batch.read()
        report = batch.settle()
    except BaseException:
        batch.give_back()
        raise
    report.more = (len(claimed) == limit or len(chosen) < len(claimed)) and not halted
    return report


def _alone(
    runtime: Runtime, lease: Lease, claimed: Sequence[DossierRecord]
) -> Sequence[DossierRecord]:
    """What of a claim is read: one alone if it may end its reader, and the others given back."""
    suspect = next((each for each in claimed if each.deaths >= DEATHS_BEFORE_ALONE), None)
    if suspect is None or len(claimed) == 1:
        return claimed
    procedure = suspect.procedure
    others = [each.number for each in claimed if each is not suspect]
    with runtime.database.begin() as connection:
        dossiers.give_back(connection, procedure, others, lease, due_at=runtime.clock())
    runtime.waker.route(procedure)
    return [suspect]


def _claimable(runtime: Runtime, procedure: int) -> bool:
    with runtime.database.autocommit_read() as connection:
        return procedures.status(connection, procedure) is ProcedureStatus.ACTIVE


@dataclass(slots=True)
class _Outbox:
    """What one commit will store."""

    settlements: list[Settlement] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    lines: list[AuditEntry] = field(default_factory=list)


class _Batch:
    """The claimed dossiers of one task."""

    def __init__(
        self,
        runtime: Runtime,
        rules: RuleSet,
        form: Form,
        lease: Lease,
        claimed: Sequence[DossierRecord],
    ) -> None:
        self.runtime = runtime
        self.rules = rules
        self.form = form
        self.lease = lease
        self.claimed = claimed
        self.numbers = [dossier.number for dossier in claimed]
        self.readings: list[Reading] = []
        self.report = RouteReport(claimed=len(claimed))
        self.decisions: dict[int, Decision | None] = {}
        self.purged_before: datetime | None = None

    def read(self) -> bool:
        """Ask TPS for every claimed dossier, with no transaction open.

        True when that was halted before time was up: going on at once makes no sense.
        """
        started_at = self.runtime.clock()
        try:
            for each in read_all(self.runtime, self.rules, self.form, self.claimed):
                self.readings.append(self._judged(each))
        except TimeLimitReached:
            # There is time to store what was read; what was not is given back.
            log.warning("time-is-up", count=len(self.readings))
            if not self.runtime.stopping():
                # A call has a limit of its own: this reading is stuck, and goes aside.
                stuck = self.claimed[len(self.readings) : len(self.readings) + 1]
                self.readings.extend(lost(dossier) for dossier in stuck)
        in_time = self.runtime.clock() - started_at <= WORK_BUDGET
        return in_time and len(self.readings) < len(self.claimed)

    def _judged(self, reading: Reading) -> Reading:
        """A reading with its decision taken: one that cannot be decided fails alone."""
        if reading.facts is None:
            return reading
        now = self.runtime.clock()
        try:
            decision = decide(self.rules, reading.dossier, reading.facts, now)
        except Exception:
            log.exception("decision-failed", number=reading.dossier.number)
            return replace(reading, facts=None, failure=Failure(Cause.INTERNAL))
        self.decisions[reading.dossier.number] = decision
        return reading

    def settle(self) -> RouteReport:
        """Store what was read in one commit; what was not read is due again."""
        now = self.runtime.clock()
        procedure = self.form.procedure
        with self.runtime.database.begin() as connection:
            held = dossiers.held(connection, procedure, self.numbers, self.lease)
            self.purged_before = procedures.purged_before(connection, procedure)
            mine = [reading for reading in self.readings if reading.dossier.number in held]
            good = [reading for reading in mine if reading.facts]
            drifts = bool(good) and schema_drift.must_hold(connection, procedure, good)
            outbox = (
                self._hold(connection, good, now)
                if drifts
                else self._good(connection, good, held, now)
            )
            self._bad(connection, [r for r in mine if r.failure], outbox, now)
            dossiers.settle(connection, self.lease, outbox.settlements)
            deliveries.queue(connection, outbox.orders, now)
            self.report.given_back = self._return_rest(connection, now)
            self.runtime.audit.append(connection, now, outbox.lines)
            schema_drift.accept(connection, procedure, [] if drifts else good)
        self.report.queued = len(outbox.orders)
        if outbox.orders:
            self.runtime.waker.deliver()
        return self.report

    def give_back(self) -> None:
        """Let go of the batch, which stays due: an unforeseen error ended this task."""
        now = self.runtime.clock()
        with self.runtime.database.begin() as connection:
            dossiers.give_back(
                connection, self.form.procedure, self.numbers, self.lease, due_at=now
            )

    def _hold(self, connection: Connection, readings: Sequence[Reading], now: datetime) -> _Outbox:
        """The form seems to have changed: nothing of the batch is decided."""
        procedure = self.form.procedure
        numbers = [reading.dossier.number for reading in readings]
        lines = schema_drift.pause(connection, procedure)
        dossiers.hold(
            connection, procedure, numbers, self.lease, reason=schema_drift.DRIFT, now=now
        )
        self.report.held = len(numbers)
        held = (
            AuditEntry(
                step=Step.HELD, procedure=procedure, number=number, reason=schema_drift.DRIFT
            )
            for number in numbers
        )
        return _Outbox(lines=[*lines, *held])

    def _good(
        self,
        connection: Connection,
        readings: Sequence[Reading],
        held: Mapping[int, datetime | None],
        now: datetime,
    ) -> _Outbox:
        outbox = _Outbox()
        moving = [r.dossier for r in readings if r.dossier.assignment.ordinal and _differs(r)]
        keys = [(dossier.procedure, dossier.number) for dossier in moving]
        unsent = deliveries.unsent(connection, keys)
        for reading in readings:
            dossier = reading.dossier
            waiting = unsent.get((dossier.procedure, dossier.number), frozenset())
            stale = held[dossier.number] != dossier.listed_change_at
            self._decide(connection, reading, waiting, outbox, now if stale else None, now)
        return outbox

    def _decide(
        self,
        connection: Connection,
        reading: Reading,
        unsent: frozenset[Notification],
        outbox: _Outbox,
        due_again: datetime | None,
        now: datetime,
    ) -> None:
        dossier, facts = reading.dossier, reading.facts
        assert facts is not None  # noqa: S101
        decision = self.decisions[dossier.number]
        change = self._plan(dossier, facts, decision, unsent)
        outbox.settlements.append(
            Settlement(
                facts=facts,
                status=DossierStatus.ROUTED,
                reason=None,
                decision=decision,
                assignment=change.assignment,
                next_attempt_at=due_again,
                decided_at=now,
            )
        )
        if decision is not None:
            outbox.lines += _decision_lines(facts, decision, reading.duration_ms)
            self._count(decision)
            self.report.recorded += not (dossier.assignment.ordinal or change.notify)
        elif dossier.status is not DossierStatus.ROUTED:
            outbox.lines.append(_classified(facts, reading.duration_ms))
        apply_plan(self.rules, connection, dossier, change, outbox.orders, outbox.lines, now)

    def _plan(
        self,
        dossier: DossierRecord,
        facts: Facts,
        decision: Decision | None,
        unsent: frozenset[Notification],
    ) -> Plan:
        if decision is None:
            return Plan(dossier.assignment)
        return plan(
            dossier.assignment,
            decision.units,
            unsent=unsent,
            silent=_before_launch(self.form, facts)
            or self._was_purged(facts)
            or self._was_decided_before_us(dossier, facts),
        )

    def _was_decided_before_us(self, dossier: DossierRecord, facts: Facts) -> bool:
        """Whether an office decided it before we ever saw it: there is nothing to tell."""
        first = dossier.assignment.ordinal == 0
        return first and facts.state.decided and not self.runtime.settings.notify_decided

    def _was_purged(self, facts: Facts) -> bool:
        """Whether its office may have been told once, before the dossier was purged.

        A list that shows neither state nor date of deposit cannot be asked this.
        """
        before = self.purged_before
        return before is not None and facts.state.decided and facts.filed_at <= before

    def _count(self, decision: Decision) -> None:
        if decision.routed:
            self.report.routed += 1
        else:
            self.report.unrouted += 1

    def _bad(
        self, connection: Connection, readings: Sequence[Reading], outbox: _Outbox, now: datetime
    ) -> None:
        for reading in readings:
            failure = reading.failure
            assert failure is not None  # noqa: S101
            self.report.cause = failure.cause.value
            if failure.action is Action.STOP_PROCEDURE:
                self._stop_procedure(connection, failure, outbox, now)
            elif not concerns_all(failure):
                outbox.lines += self._put_aside(connection, reading, failure, now)

    def _stop_procedure(
        self, connection: Connection, failure: Failure, outbox: _Outbox, now: datetime
    ) -> None:
        stopped = procedures.stop(
            connection,
            self.form.procedure,
            reason=failure.cause.value,
            next_poll_at=now + STOPPED_PROBE_INTERVAL,
        )
        if stopped:
            outbox.lines.append(
                AuditEntry(
                    step=Step.PROCEDURE_STOPPED,
                    procedure=self.form.procedure,
                    reason=failure.cause.value,
                )
            )

    def _put_aside(
        self, connection: Connection, reading: Reading, failure: Failure, now: datetime
    ) -> list[AuditEntry]:
        dossier = reading.dossier
        gone = failure.cause is Cause.TPS_NOT_FOUND and dossier.absences >= ABSENCES_BEFORE_ASKING
        attempts = dossier.attempts + 1
        wait = delay(attempts, self.runtime.jitter, longest=QUARANTINE_LONGEST_DELAY)
        wait = max(wait, timedelta(seconds=failure.retry_after or 0))
        dossiers.put_aside(
            connection,
            dossier.procedure,
            dossier.number,
            self.lease,
            status=DossierStatus.GONE if gone else DossierStatus.QUARANTINED,
            reason=failure.cause.value,
            attempts=attempts,
            deaths=DEATHS_BEFORE_ALONE if failure.cause is Cause.READER_LOST else 0,
            next_attempt_at=None if gone else now + wait,
            now=now,
        )
        self.report.gone += gone
        self.report.quarantined += not gone
        return [
            AuditEntry(
                step=Step.GONE if gone else Step.QUARANTINED,
                procedure=dossier.procedure,
                number=dossier.number,
                reason=failure.cause.value,
                attempt=attempts,
                duration_ms=reading.duration_ms,
            )
        ]

    def _return_rest(self, connection: Connection, now: datetime) -> int:
        general = [r.failure for r in self.readings if r.failure and concerns_all(r.failure)]
        wait = max((failure.retry_after or 60 for failure in general), default=0)
        settled = {r.dossier.number for r in self.readings if r.failure not in general}
        unread = sorted(set(self.numbers) - settled)
        if not unread:
            return 0
        return dossiers.give_back(
            connection,
            self.form.procedure,
            unread,
            self.lease,
            due_at=now + timedelta(seconds=wait),
        )


def decide(rules: RuleSet, dossier: DossierRecord, facts: Facts, now: datetime) -> Decision | None:
    """The decision that `facts` call for, None when the one taken before stays.

    A dossier that an office decided, or whose facts did not change, stays where it is.
    Under a newer rule set only facts that bear on competence are decided anew: a dossier
    moves because it changed, or because an admin re-routed it, not because TPS moved it
    on in its course.
    """
    before = dossier.facts
    if before is None or dossier.assignment.ordinal == 0:
        return decide_anew(rules, dossier, facts, now)
    if facts.state.decided or before.fingerprint == facts.fingerprint:
        return None
    moved = competence(before) != competence(facts) or before.state.decided
    if dossier.ruleset == rules.hash or moved:
        return decide_anew(rules, dossier, facts, now)
    return None


def decide_anew(rules: RuleSet, dossier: DossierRecord, facts: Facts, now: datetime) -> Decision:
    """What the rule set says of `facts` today, under the pin of a person if there is one."""
    decision = rules.decide(facts, paris_day(now))
    if dossier.pinned_unit is None:
        return decision
    return Decision(
        units=(dossier.pinned_unit,),
        rule=PINNED_RULE,
        ruleset=decision.ruleset,
        facts=decision.facts,
        reasons=(*facts.reasons, Reason.PINNED),
        routed=True,
    )


def competence(facts: Facts) -> tuple[object, ...]:
    """The part of the facts on which competence rests."""
    return (facts.permit_type, facts.department, facts.filer)


def apply_plan(
    rules: RuleSet,
    connection: Connection,
    dossier: DossierRecord,
    change: Plan,
    orders: list[Order],
    lines: list[AuditEntry],
    now: datetime,
) -> None:
    """Withdraw what is no longer true, and add what must be told to `orders` and `lines`."""
    procedure, number = dossier.procedure, dossier.number
    deliveries.withdraw(connection, procedure, number, change.withdraw, now)
    lines.extend(
        AuditEntry(
            step=Step.CANCELLED,
            procedure=procedure,
            number=number,
            event=notice.event.value,
            unit=notice.unit,
        )
        for notice in change.withdraw
    )
    if dossier.assignment.ordinal and change.assignment != dossier.assignment:
        lines.extend(
            AuditEntry(step=Step.REASSIGNED, procedure=procedure, number=number, unit=unit)
            for unit in change.assignment.units
        )
    for notice in change.notify:
        for channel in channels_of(rules, notice.unit):
            orders.append(_order(dossier, change.assignment, notice, channel))
            lines.append(
                AuditEntry(
                    step=Step.QUEUED,
                    procedure=procedure,
                    number=number,
                    event=notice.event.value,
                    unit=notice.unit,
                    channel=channel,
                )
            )


def channels_of(rules: RuleSet, unit: str) -> tuple[str, ...]:
    """The kinds of channel by which a unit is told; mail where it names none, so that it shows."""
    known = rules.units.get(unit)
    kinds = dict.fromkeys(channel.kind for channel in known.channels) if known else {}
    return tuple(kinds) or ("mail",)


def _order(
    dossier: DossierRecord, assignment: Assignment, notice: Notification, channel: str
) -> Order:
    return Order(
        procedure=dossier.procedure,
        number=dossier.number,
        notification=notice,
        channel=channel,
        assignment=assignment.ordinal,
        lane=dossier.lane,
    )


def _differs(reading: Reading) -> bool:
    before, facts = reading.dossier.facts, reading.facts
    return before is None or facts is None or before.fingerprint != facts.fingerprint


def _before_launch(form: Form, facts: Facts) -> bool:
    if form.notify_since is None:
        return False
    return facts.filed_at.astimezone(PARIS).date() < form.notify_since


def _classified(facts: Facts, duration_ms: int) -> AuditEntry:
    return AuditEntry(
        step=Step.CLASSIFIED,
        procedure=facts.procedure,
        number=facts.number,
        reason=facts.department_source.value,
        duration_ms=duration_ms,
    )


def _decision_lines(facts: Facts, decision: Decision, duration_ms: int) -> list[AuditEntry]:
    reason = ",".join(reason.value for reason in decision.reasons[:1]) or None
    return [
        _classified(facts, duration_ms),
        *(
            AuditEntry(
                step=Step.ROUTED if decision.routed else Step.UNROUTED,
                procedure=facts.procedure,
                number=facts.number,
                unit=unit,
                rule=decision.rule,
                ruleset=decision.ruleset,
                reason=reason,
            )
            for unit in decision.units
        ),
    ]
