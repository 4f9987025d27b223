"""Settling claimed dossiers: decide on what was read of them, then store it in one commit.

Facts come from readings of single dossiers (`service.route`) or with a page of a list
(`service.poll`); what follows from them is the same.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from sqlalchemy import Connection

from config import logs
from routing import outcome, quarantine
from routing.calendar import paris_day
from routing.failures import Action, Cause, Failure
from routing.outcome import Terms
from routing.retries import THROTTLED_DELAY
from service.claim import Claim
from service.connections import Connections
from service.guards.limits import STOPPED_PROBE_INTERVAL
from service.guards.time_limit import TimeLimitReached
from service.read import Reading, concerns_all
from service.wake import wake_deliveries
from service.write_back import followed_procedures
from store.assign import Change
from store.settle import Batch, Settled, Unread, store_batch

log = logs.get_logger("tasks")


def settle(
    runtime: Connections, connection: Connection, claim: Claim, readings: Sequence[Reading]
) -> Settled:
    """Decide on `readings` and store what follows in the transaction of `connection`.

    Call `announce` after the commit.

    Args:
        runtime: of this process.
        connection: the transaction.
        claim: of the dossiers that were read; those without a reading are given back.
        readings: facts or a failure for each dossier that was read, each dossier once.
    """
    batch = decide(runtime, claim, readings)
    return store_batch(connection, runtime.audit, batch, runtime.clock())


def announce(runtime: Connections, claim: Claim, settled: Settled) -> None:
    """Tell workers and the log of what the commit of a claim did."""
    if settled.paused:
        log.error("procedure-paused", procedure=claim.procedure)
    if settled.queued:
        wake_deliveries(runtime.waker, claim.rules)


def decide(runtime: Connections, claim: Claim, readings: Sequence[Reading]) -> Batch:
    """What is to be stored of a claim, given what was read of it."""
    now = runtime.clock()
    terms = Terms(
        rules=claim.rules,
        form=claim.form,
        today=paris_day(now),
        purged_before=claim.purged_before,
        notify_decided=runtime.settings.notify_decided,
    )
    outcomes = [_outcome(terms, reading, runtime.jitter) for reading in _of_dossiers(readings)]
    general = [each.failure for each in readings if each.failure and concerns_all(each.failure)]
    return Batch(
        procedure=claim.procedure,
        rules=claim.rules,
        lease=claim.lease,
        claimed=claim.numbers,
        read=tuple(each for each in outcomes if isinstance(each, Change)),
        unread=tuple(each for each in outcomes if isinstance(each, Unread)),
        rest_due_at=now + _wait(general),
        stop=_stop_cause(general),
        probe_at=now + STOPPED_PROBE_INTERVAL,
        access_hash=runtime.tps_access_hash,
        followed=followed_procedures(runtime.settings, claim.rules),
    )


def _of_dossiers(readings: Sequence[Reading]) -> Iterator[Reading]:
    """The readings that say something of their dossier, and not of the whole procedure."""
    return (each for each in readings if each.failure is None or not concerns_all(each.failure))


def _outcome(terms: Terms, reading: Reading, jitter: Callable[[], float]) -> Change | Unread:
    """What becomes of one dossier: one that cannot be decided is put aside alone."""
    dossier, failure = reading.dossier, reading.failure
    if reading.facts is not None:
        try:
            decided = outcome.decide(terms, dossier, reading.facts)
            return Change(dossier, decided, reading.duration_ms)
        except TimeLimitReached:
            raise
        except Exception:
            log.exception("decision-failed", number=dossier.number)
    aside = quarantine.put_aside(dossier, failure or Failure(Cause.INTERNAL), jitter)
    return Unread(dossier, aside, reading.duration_ms)


def _wait(general: Sequence[Failure]) -> timedelta:
    """How long the rest of a batch waits that TPS refused or throttled."""
    default = THROTTLED_DELAY.total_seconds()
    return timedelta(seconds=max((each.retry_after or default for each in general), default=0))


def _stop_cause(general: Sequence[Failure]) -> Cause | None:
    stops = (each.cause for each in general if each.action is Action.STOP_PROCEDURE)
    return next(stops, None)
