"""Delivering: claim, send, commit in groups, give back what was not begun.

A batch belongs to one channel, so that one whose server rests or hangs stops no other. No
database connection is held while a server is spoken to. A process that dies between a server's
acceptance and our commit leaves deliveries whose lease runs out; they are sent again with the
same idempotency key.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from config import logs
from config.foreign_messages import translated
from config.settings import SettingsError
from connectors.channel import Blame, Channel, ChannelSession, ChannelSettingsError
from connectors.channels import CHANNELS
from routing.failures import Action
from routing.retries import MAX_ATTEMPTS, after_failure
from routing.ruleset import RuleSet
from routing.units import GROUP_CHANNEL
from service.disabled import disable, disabled_now
from service.guards.breakers import BreakerState
from service.guards.channels import ChannelGuard
from service.guards.limits import DELIVER_BATCH, DELIVER_SHARE, FINISH_EVERY, LEASE
from service.guards.time_limit import TimeLimitReached
from service.notices import prepare
from service.report import Totals
from service.runtime import Runtime
from service.sending import Attempt, Sending, send
from service.sent_log import note_sent
from store import deliveries, delivery_claims, delivery_outcomes, groups
from store.audit.log import AuditEntry, Step
from store.delivery_claims import ClaimedDelivery
from store.delivery_outcomes import Outcome, Postponement
from store.disabled_addresses import Disabled, address_hash
from store.groups import KnownPlace
from store.leases import LEASE_EXPIRED, Lease

log = logs.get_logger("tasks")

FINISH_PATIENCE_SECONDS = 30.0
"""How long a database that restarts is waited for; with the work budget less than the lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverReport(Totals):
    """What became of one batch, or of several.

    Attributes:
        more: whether there may be more to claim at once.
        cause: why something was not delivered: the last code.
    """

    more: bool = False
    cause: str | None = None
    claimed: int = 0
    sent: int = 0
    retried: int = 0
    dead: int = 0
    given_back: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """What one batch holds.

    Attributes:
        lease: under which.
        deliveries: what is to be made.
        out_of_attempts: how many were found dead: each attempt was lost with its worker.
        disabled: addresses that want nothing more, by channel and unit.
        places: where TPS has the dossiers, for the channel that moves them; else empty.
    """

    lease: Lease
    deliveries: Sequence[ClaimedDelivery]
    out_of_attempts: int
    disabled: Mapping[tuple[str, str], Disabled]
    places: Mapping[groups.Key, KnownPlace]

    @property
    def size(self) -> int:
        """How many were claimed."""
        return len(self.deliveries) + self.out_of_attempts


def deliver(
    runtime: Runtime,
    *,
    channels: Iterable[str] = tuple(CHANNELS),
    limit: int = DELIVER_BATCH,
) -> DeliverReport:
    """Claim up to `limit` due deliveries on each of `channels`, one after the other, and make them.

    Raises:
        SettingsError: a setting that a channel needs is missing or wrong.
    """
    reports = [deliver_on(runtime, CHANNELS[kind], limit=limit) for kind in channels]
    return replace(sum(reports, DeliverReport()), more=any(each.more for each in reports))


def deliver_on(runtime: Runtime, channel: Channel, *, limit: int = DELIVER_BATCH) -> DeliverReport:
    """Claim up to `limit` due deliveries on one channel and make them.

    Raises:
        SettingsError: a setting that the channel needs is missing or wrong.
    """
    rules = runtime.rules()
    guard = ChannelGuard(runtime, channel)
    state = guard.state()
    if state is BreakerState.OPEN:
        return DeliverReport()
    limit = 1 if state is BreakerState.HALF_OPEN else limit
    claim = _claim(runtime, rules, channel, guard.resting(rules.units), limit=limit)
    found = DeliverReport(claimed=claim.size, dead=claim.out_of_attempts)
    if not claim.size:
        return found
    if claim.size == DELIVER_BATCH:
        # Another process may have the rest meanwhile.
        runtime.waker.deliver(channel.kind)
    made = _make(runtime, rules, channel, guard, claim)
    # Of a batch of shares it is not known whether there is more.
    more = claim.size == limit or channel.addresses_at_once > 1
    return replace(found + made, more=made.more and more)


def _claim(
    runtime: Runtime, rules: RuleSet, channel: Channel, resting: Collection[str], *, limit: int
) -> DeliveryClaim:
    now = runtime.clock()
    lease = Lease(now, LEASE)
    with runtime.database.begin() as connection:
        found = delivery_claims.claim(
            connection,
            channel=channel.kind,
            limit=limit,
            lease=lease,
            now=now,
            skip_units=resting,
            most_each=DELIVER_SHARE if channel.addresses_at_once > 1 else None,
        )
        out_of_attempts = _note_lost(runtime, connection, found, lease)
        disabled = disabled_now(runtime, connection, rules) if channel.disabling and found else {}
        moved = [(each.procedure, each.number) for each in found if channel.kind == GROUP_CHANNEL]
        places = groups.places(connection, moved)
    alive = [delivery for delivery in found if delivery.id not in out_of_attempts]
    return DeliveryClaim(lease, alive, len(out_of_attempts), disabled, places)


def _make(
    runtime: Runtime, rules: RuleSet, channel: Channel, guard: ChannelGuard, claim: DeliveryClaim
) -> DeliverReport:
    """Send what was claimed, committing in groups; `more` is False when going on makes no sense."""
    total, goes_on = DeliverReport(), True
    begun: set[int] = set()
    tried: list[Attempt] = []
    waits: dict[str, float] = {}
    jobs = [
        prepare(runtime, rules, each, claim.disabled, claim.places) for each in claim.deliveries
    ]
    try:
        with open_channel(runtime, channel) as session:
            for attempt in send(_sending(runtime, channel, session, guard, begun), jobs):
                if attempt is not None:
                    tried.append(attempt)
                    waits |= _asked_to_wait(channel, attempt)
                    # A server that holds a task up to its limit is a server that fails.
                    wants_rest = guard.tell(attempt.delivery.unit, attempt.failure)
                    goes_on = not (wants_rest or attempt.cut_off)
                if attempt is None or len(tried) >= FINISH_EVERY:
                    total += _commit(runtime, channel, claim.lease, tried)
                    tried = []
                if not goes_on:
                    break
    except TimeLimitReached:
        goes_on = False
    finally:
        total += _commit(runtime, channel, claim.lease, tried)
        given_back = _give_back(runtime, channel, claim, begun, waits)
    return replace(total, more=goes_on and not runtime.stopping(), given_back=given_back)


def _sending(
    runtime: Runtime,
    channel: Channel,
    session: ChannelSession,
    guard: ChannelGuard,
    begun: set[int],
) -> Sending:
    return Sending(
        channel=channel,
        session=session,
        clock=runtime.clock,
        stopping=runtime.stopping,
        rests=guard.rests,
        begun=begun,
    )


def open_channel(runtime: Runtime, channel: Channel) -> ChannelSession:
    """A session on a channel; nothing is connected before the first message.

    Raises:
        SettingsError: a setting that it needs is missing or wrong.
    """
    try:
        return channel.open(runtime.settings, runtime.clock, runtime.throttles)
    except ChannelSettingsError as error:
        raise SettingsError(translated(str(error))) from None


def _commit(
    runtime: Runtime, channel: Channel, lease: Lease, attempts: Sequence[Attempt]
) -> DeliverReport:
    """One commit for some attempts; what became of those that are still ours.

    A database that restarts is waited for: what a server accepted and nobody stored is sent
    again.
    """
    if not attempts:
        return DeliverReport()
    group = tuple(attempts)
    sent = [attempt.delivery for attempt in group if _is_sent(attempt)]
    note_sent(runtime, [each for delivery in sent for each in (delivery, *delivery.carried)])

    def store(connection: Connection) -> list[AuditEntry]:
        now = runtime.clock()
        outcomes = [_outcome(runtime, attempt, now) for attempt in group]
        disable(runtime, connection, _disabled(channel, group, now))
        groups.moved(connection, _moved(group), now)
        return delivery_outcomes.store_outcomes(connection, runtime.audit, outcomes, lease, now)

    one_statement = not any(
        attempt.failure or attempt.delivery.carried or attempt.receipt for attempt in group
    )
    entries = runtime.database.run(store, patience=FINISH_PATIENCE_SECONDS, alone=one_statement)
    steps = [entry.step for entry in entries]
    return DeliverReport(
        cause=next((a.failure.cause.value for a in group if a.failure), None),
        sent=steps.count(Step.SENT),
        dead=steps.count(Step.DEAD),
        retried=steps.count(Step.RETRIED) + steps.count(Step.THROTTLED),
    )


def _is_sent(attempt: Attempt) -> bool:
    skipped = attempt.receipt.skipped if attempt.receipt else None
    return attempt.failure is None and skipped is None


def _moved(attempts: Sequence[Attempt]) -> Mapping[groups.Key, tuple[int, int]]:
    """The group into which each dossier was moved, and for which of its assignments."""
    return {
        (delivery.procedure, delivery.number): (attempt.receipt.group, delivery.assignment)
        for attempt in attempts
        if (delivery := attempt.delivery) and attempt.receipt and attempt.receipt.group
    }


def _disabled(channel: Channel, attempts: Sequence[Attempt], now: datetime) -> list[Disabled]:
    """The addresses whose peer has said in these attempts that it wants nothing more."""
    return [
        Disabled(
            channel=channel.kind,
            unit=each.delivery.unit,
            address_hash=address_hash(each.address),
            reason=each.failure.cause.value,
            disabled_at=now,
        )
        for each in attempts
        if each.failure is not None
        and each.address is not None
        and each.failure.cause in channel.disabling
    ]


def _outcome(runtime: Runtime, attempt: Attempt, now: datetime) -> Outcome:
    delivery, failure = attempt.delivery, attempt.failure
    if attempt.receipt and attempt.receipt.skipped:
        reason = attempt.receipt.skipped.value
        return Outcome(delivery.id, _entry(attempt, Step.CANCELLED, reason), skipped=reason)
    if failure is None:
        return Outcome(delivery.id, _entry(attempt, Step.SENT), digest=bool(delivery.carried))
    following = after_failure(failure, attempts=delivery.attempts, now=now, jitter=runtime.jitter)
    later = Step.THROTTLED if failure.action is Action.THROTTLED else Step.RETRIED
    return Outcome(
        delivery.id,
        _entry(attempt, Step.DEAD if following.at is None else later),
        Postponement(
            id=delivery.id,
            reason=failure.cause.value,
            attempts=following.attempts,
            next_attempt_at=following.at,
        ),
    )


def _entry(attempt: Attempt, step: Step, reason: str | None = None) -> AuditEntry:
    delivery, failure = attempt.delivery, attempt.failure
    return AuditEntry(
        step=step,
        procedure=None if delivery.is_digest else delivery.procedure,
        number=None if delivery.is_digest else delivery.number,
        event=delivery.event.value,
        channel=delivery.channel,
        unit=delivery.unit,
        reason=failure.cause.value if failure else reason,
        attempt=delivery.attempts,
        duration_ms=attempt.duration_ms,
    )


def _asked_to_wait(channel: Channel, attempt: Attempt) -> dict[str, float]:
    """The unit whose peer asked to wait, and for how many seconds."""
    failure = attempt.failure
    if failure is None or not failure.retry_after or channel.blame(failure) is not Blame.ADDRESS:
        return {}
    return {attempt.delivery.unit: failure.retry_after}


def _give_back(
    runtime: Runtime,
    channel: Channel,
    claim: DeliveryClaim,
    begun: Collection[int],
    waits: Mapping[str, float],
) -> int:
    """What was claimed and not begun is due again at once, and costs no attempt; how many.

    What was begun and could not be stored stays claimed until the lease ends: given back it
    would be sent again at every turn while the database cannot be written. A unit whose peer
    asked to wait gets nothing for so long.
    """
    rest = [delivery.id for delivery in claim.deliveries if delivery.id not in begun]
    if not rest and not waits:
        return 0
    now = runtime.clock()
    with runtime.database.begin() as connection:
        given = delivery_claims.give_back(connection, rest, claim.lease, due_at=now)
        for unit, seconds in waits.items():
            until = now + timedelta(seconds=seconds)
            deliveries.hold_back(connection, channel=channel.kind, unit=unit, until=until)
    return given


def _note_lost(
    runtime: Runtime, connection: Connection, claimed: Sequence[ClaimedDelivery], lease: Lease
) -> frozenset[int]:
    """Write down which attempts were lost with their worker; the ids of those that lose too many.

    The entries are part of the claim: where they cannot be stored, as on a full disk, neither
    could the next outcome, and nothing is sent again. A delivery that kills its worker each
    time is dead in the end, as any other that fails.
    """
    now = runtime.clock()
    lost = [delivery for delivery in claimed if delivery.lost]
    out_of_attempts = [delivery for delivery in lost if delivery.attempts > MAX_ATTEMPTS]
    dead = [
        Postponement(
            id=each.id, reason=LEASE_EXPIRED, attempts=each.attempts - 1, next_attempt_at=None
        )
        for each in out_of_attempts
    ]
    entries = [
        AuditEntry(
            step=Step.DEAD if delivery in out_of_attempts else Step.RETRIED,
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
    runtime.audit.append(connection, now, entries)
    return delivery_outcomes.postpone(connection, dead, lease, now)
