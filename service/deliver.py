"""Delivering a batch: claimed deliveries are sent through one connection and finished in groups.

No database connection is held while a server is spoken to. A process that dies between
a server's acceptance and our commit leaves deliveries whose lease runs out; they are
sent again under the same Message-ID.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import Connection

from config import logs
from connectors.mail.envelope import Envelope
from connectors.mail.message import compose
from connectors.mail.sender import Sender
from connectors.notice import Notice, Office
from routing.facts import Reason
from routing.failures import Action, Cause, Failure
from routing.retries import MAX_ATTEMPTS, delay
from routing.ruleset import RuleSet
from routing.territory import departments
from routing.units import Unit
from service.guards.breakers import BreakerState
from service.guards.limits import DELIVER_BATCH, FINISH_EVERY, LEASE, WORK_BUDGET
from service.guards.mailboxes import Mailboxes
from service.guards.time_limit import TimeLimitReached
from service.runtime import Runtime
from store import deliveries, finish_deliveries
from store.audit.log import AuditEntry, Step
from store.deliveries import ClaimedDelivery, Postponement
from store.leases import LEASE_EXPIRED, Lease

log = logs.get_logger("tasks")

FINISH_PATIENCE_SECONDS = 30.0
"""How long a database that restarts is waited for; with the work budget less than the lease."""

THROTTLED_DELAY = timedelta(seconds=60)
"""How long a server that asks us to slow down is left alone when it does not say itself."""


@dataclass(slots=True)
class DeliverReport:
    """What became of one batch."""

    claimed: int = 0
    sent: int = 0
    retried: int = 0
    dead: int = 0
    given_back: int = 0
    more: bool = False
    """Whether there may be more to claim at once."""
    cause: str | None = None
    """Why something was not delivered: the last code."""

    def add(self, other: "DeliverReport") -> None:
        """Count another batch in."""
        for slot in fields(self):
            if slot.name == "cause":
                self.cause = other.cause or self.cause
            elif slot.name != "more":
                setattr(self, slot.name, getattr(self, slot.name) + getattr(other, slot.name))


@dataclass(frozen=True, slots=True)
class _Attempt:
    delivery: ClaimedDelivery
    failure: Failure | None
    duration_ms: int


def deliver(runtime: Runtime, *, limit: int = DELIVER_BATCH) -> DeliverReport:
    """Claim up to `limit` due deliveries and make them."""
    rules = runtime.rules()
    mailboxes = Mailboxes(runtime)
    state = mailboxes.state()
    if state is BreakerState.OPEN:
        return DeliverReport()
    limit = 1 if state is BreakerState.HALF_OPEN else limit
    lease = Lease(runtime.clock(), LEASE)
    with runtime.database.begin() as connection:
        claimed = deliveries.claim(
            connection,
            limit=limit,
            lease=lease,
            now=runtime.clock(),
            skip_units=mailboxes.resting(rules.units),
        )
        buried = _note_lost(runtime, connection, claimed, lease)
    report = DeliverReport(claimed=len(claimed), dead=len(buried))
    if not claimed:
        return report
    if len(claimed) == DELIVER_BATCH:
        # Another process may have the rest meanwhile.
        runtime.waker.deliver()
    batch = _Batch(runtime, rules, mailboxes, lease, report)
    batch.finished |= buried
    try:
        with runtime.sender() as sender:
            halted = batch.send_all(sender, claimed)
    except TimeLimitReached:
        log.warning("time-is-up", count=len(batch.finished))
        halted = True
    finally:
        batch.give_back(claimed)
    report.more = len(claimed) == limit and not halted
    return report


class _Batch:
    """The claimed deliveries of one task."""

    def __init__(
        self,
        runtime: Runtime,
        rules: RuleSet,
        mailboxes: Mailboxes,
        lease: Lease,
        report: DeliverReport,
    ) -> None:
        self.runtime = runtime
        self.rules = rules
        self.mailboxes = mailboxes
        self.lease = lease
        self.report = report
        self.tried: list[_Attempt] = []
        self.begun: set[int] = set()
        self.finished: set[int] = set()

    def send_all(self, sender: Sender, claimed: Sequence[ClaimedDelivery]) -> bool:
        """Send each; after each group of some, store what became of them.

        True when the server is to be left alone, or this process is to stop: going on at
        once makes no sense.
        """
        started_at = self.runtime.clock()
        waiting = [delivery for delivery in claimed if delivery.id not in self.finished]
        try:
            for delivery in waiting:
                if self.mailboxes.rests(delivery.unit):
                    continue
                if self.runtime.stopping():
                    return True
                if not self._try(sender, delivery):
                    return True
                if self.runtime.clock() - started_at > WORK_BUDGET:
                    return False
        finally:
            self.finish()
        return False

    def _try(self, sender: Sender, delivery: ClaimedDelivery) -> bool:
        """Make one delivery; False when the server wants rest."""
        started_at = self.runtime.clock()
        self.begun.add(delivery.id)
        failure: Failure | None = Failure(Cause.MAIL_TIMEOUT)
        try:
            failure = self._send(sender, delivery)
        finally:
            # Also when a time limit cut it off in mid-air: whether it arrived is not known,
            # so it was an attempt.
            elapsed = (self.runtime.clock() - started_at).total_seconds()
            self.tried.append(_Attempt(delivery, failure, max(0, int(elapsed * 1000))))
            # A server that holds a task up to its limit is a server that fails.
            wants_rest = self.mailboxes.tell(delivery.unit, failure)
        if len(self.tried) >= FINISH_EVERY:
            self.finish()
        return not wants_rest

    def _send(self, sender: Sender, delivery: ClaimedDelivery) -> Failure | None:
        try:
            sender.send(self._mail(delivery))
        except Failure as failure:
            return failure
        except TimeLimitReached:
            raise
        except Exception:
            # One delivery that our own code cannot make must not keep the others.
            log.exception("delivery-failed", delivery=delivery.id)
            return Failure(Cause.INTERNAL)
        return None

    def _mail(self, delivery: ClaimedDelivery) -> Envelope:
        notice, recipient = self._notice(delivery)
        return compose(
            notice,
            sender=self.runtime.settings.mail_from,
            recipient=recipient,
            at=self.runtime.clock(),
        )

    def _notice(self, delivery: ClaimedDelivery) -> tuple[Notice, str]:
        unit = self.rules.units.get(delivery.unit)
        address = _address(unit, delivery.channel)
        if unit is None or address is None:
            raise Failure(Cause.CHANNEL_MISSING)
        return self._describe(delivery, unit), address

    def _describe(self, delivery: ClaimedDelivery, unit: Unit) -> Notice:
        labels = {permit.code: permit.label for permit in self.rules.permit_types}
        department = departments().get(delivery.department or "")
        form = self.rules.forms.get(delivery.procedure)
        return Notice(
            event=delivery.event,
            procedure=delivery.procedure,
            number=delivery.number,
            unit=unit.code,
            unit_name=unit.name,
            permit_type=delivery.permit_type,
            permit_label=labels.get(delivery.permit_type or ""),
            department=delivery.department,
            department_name=department.name if department else None,
            filed_at=delivery.filed_at,
            rule_why=self._why(delivery),
            reasons=tuple(Reason(code) for code in delivery.reasons),
            routed=not delivery.unrouted,
            counterpart=self._office(delivery.counterpart),
            dossier_url=self.runtime.dossier_url(delivery.procedure, delivery.number),
            key=delivery.key,
            form_name=form.name if form else None,
            moved_why=self.rules.reasons.get(delivery.pinned_reason or ""),
            contact=unit.contact or self.runtime.settings.contact,
            prefix=self.runtime.settings.subject_prefix,
        )

    def _why(self, delivery: ClaimedDelivery) -> str | None:
        """The sentence of the rule that decided, in the rule set that decided."""
        if delivery.rule is None or delivery.ruleset is None:
            return None
        rule = self.runtime.rule_sets.get(delivery.ruleset).rule(delivery.rule)
        return rule.why if rule else None

    def _office(self, code: str | None) -> Office | None:
        if code is None:
            return None
        unit = self.rules.units.get(code)
        return Office(code, unit.name if unit else code)

    def finish(self) -> None:
        """One commit for what was tried since the last.

        A database that restarts is waited for: what a server accepted and nobody stored is
        sent again.
        """
        if not self.tried:
            return
        all_sent = not any(attempt.failure for attempt in self.tried)
        lines = self.runtime.database.run(
            self._store, patience=FINISH_PATIENCE_SECONDS, alone=all_sent
        )
        self.finished.update(attempt.delivery.id for attempt in self.tried)
        self.tried = []
        self._count(lines)

    def _store(self, connection: Connection) -> list[AuditEntry]:
        now, audit = self.runtime.clock(), self.runtime.audit
        sent = {a.delivery.id: _line(a, None) for a in self.tried if a.failure is None}
        done = finish_deliveries.finish_sent(connection, audit, sent, self.lease, now)
        lines = [line for delivery, line in sent.items() if delivery in done]
        return lines + self._store_failed(connection, now)

    def _store_failed(self, connection: Connection, now: datetime) -> list[AuditEntry]:
        failed = {a.delivery.id: a for a in self.tried if a.failure}
        if not failed:
            return []
        self.report.cause = next(a.failure.cause.value for a in failed.values() if a.failure)
        later = {delivery: self._postponement(a, now) for delivery, a in failed.items()}
        ours = deliveries.postpone(connection, list(later.values()), self.lease, now)
        lines = [_line(a, later[id_]) for id_, a in failed.items() if id_ in ours]
        self.runtime.audit.append(connection, now, lines)
        return lines

    def _postponement(self, attempt: _Attempt, now: datetime) -> Postponement:
        delivery, failure = attempt.delivery, attempt.failure
        assert failure is not None  # noqa: S101
        throttled = failure.action is Action.THROTTLED
        attempts = delivery.attempts - throttled
        dead = failure.action is Action.PERMANENT or attempts >= MAX_ATTEMPTS
        wait = THROTTLED_DELAY if throttled else delay(attempts, self.runtime.jitter)
        wait = max(wait, timedelta(seconds=failure.retry_after or 0))
        return Postponement(
            id=delivery.id,
            reason=failure.cause.value,
            attempts=attempts,
            next_attempt_at=None if dead else now + wait,
        )

    def _count(self, lines: Sequence[AuditEntry]) -> None:
        steps = [line.step for line in lines]
        self.report.sent += steps.count(Step.SENT)
        self.report.dead += steps.count(Step.DEAD)
        self.report.retried += steps.count(Step.RETRIED) + steps.count(Step.THROTTLED)

    def give_back(self, claimed: Sequence[ClaimedDelivery]) -> None:
        """What was claimed and not begun is due again at once, and costs no attempt.

        What was begun and could not be stored stays claimed until the lease ends: given back
        it would be sent again at every turn while the database cannot be written.
        """
        done = self.begun | self.finished
        rest = [delivery.id for delivery in claimed if delivery.id not in done]
        if not rest:
            return
        with self.runtime.database.begin() as connection:
            self.report.given_back = deliveries.give_back(
                connection, rest, self.lease, due_at=self.runtime.clock()
            )


def _note_lost(
    runtime: Runtime, connection: Connection, claimed: Sequence[ClaimedDelivery], lease: Lease
) -> frozenset[int]:
    """Write down which attempts were lost with their worker; the ids of those that lose too many.

    The lines are part of the claim: where they cannot be stored, as on a full disk, neither
    could the next outcome, and nothing is sent again. A delivery that kills its worker each
    time is dead in the end, as any other that fails.
    """
    now = runtime.clock()
    lost = [delivery for delivery in claimed if delivery.lost]
    buried = [delivery for delivery in lost if delivery.attempts > MAX_ATTEMPTS]
    dead = [
        Postponement(
            id=each.id, reason=LEASE_EXPIRED, attempts=each.attempts - 1, next_attempt_at=None
        )
        for each in buried
    ]
    lines = [
        AuditEntry(
            step=Step.DEAD if delivery in buried else Step.RETRIED,
            procedure=delivery.procedure,
            number=delivery.number,
            event=delivery.event.value,
            channel=delivery.channel,
            unit=delivery.unit,
            reason=LEASE_EXPIRED,
            attempt=delivery.attempts - 1,
        )
        for delivery in lost
    ]
    runtime.audit.append(connection, now, lines)
    return deliveries.postpone(connection, dead, lease, now)


def _address(unit: Unit | None, channel: str) -> str | None:
    if unit is None:
        return None
    return next((known.address for known in unit.channels if known.kind == channel), None)


def _line(attempt: _Attempt, postponement: Postponement | None) -> AuditEntry:
    delivery = attempt.delivery
    return AuditEntry(
        step=_step(attempt, postponement),
        procedure=delivery.procedure,
        number=delivery.number,
        event=delivery.event.value,
        channel=delivery.channel,
        unit=delivery.unit,
        reason=postponement.reason if postponement else None,
        attempt=delivery.attempts,
        duration_ms=attempt.duration_ms,
    )


def _step(attempt: _Attempt, postponement: Postponement | None) -> Step:
    if postponement is None:
        return Step.SENT
    if postponement.next_attempt_at is None:
        return Step.DEAD
    throttled = attempt.failure is not None and attempt.failure.action is Action.THROTTLED
    return Step.THROTTLED if throttled else Step.RETRIED
