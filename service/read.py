"""Reading claimed dossiers from TPS one by one: one that fails never stops the others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from config import logs
from routing.facts import Facts
from routing.failures import Action, Cause, Failure, Sign
from routing.listing import ListedDossier
from routing.quarantine import LOSSES_BEFORE_ASIDE
from service.claim import Claim
from service.clock import milliseconds
from service.connections import Connections
from service.guards import breakers, outages
from service.guards.breakers import TPS, BreakerState
from service.guards.limits import WORK_BUDGET
from service.guards.time_limit import TimeLimitReached
from store.dossiers import DossierRecord, DossierStatus

log = logs.get_logger("tasks")


@dataclass(frozen=True, slots=True)
class Reading:
    """What TPS said of one dossier: its facts, or why there are none. `duration_ms`: the call."""

    dossier: DossierRecord
    facts: Facts | None
    failure: Failure | None
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Readings:
    """What was read of a claim, in its order.

    Attributes:
        readings: one for each dossier that was asked for.
        halted: whether reading ended before time was up: to go on at once makes no sense.
    """

    readings: tuple[Reading, ...]
    halted: bool


def reading_state(runtime: Connections, procedure: int) -> BreakerState:
    """Whether dossiers of a procedure may be read now, or only one, to see whether it answers."""
    runtime.breakers.refresh()
    targets = (TPS, breakers.procedure(procedure))
    states = {runtime.breakers.state(target) for target in targets}
    return next(
        each
        for each in (BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED)
        if each in states
    )


def read_all(runtime: Connections, claim: Claim) -> Readings:
    """Read claimed dossiers one by one, with no transaction open.

    It ends early when time is up, when the worker stops, and when TPS refuses, throttles or
    fails altogether: the last reading may then carry a failure that concerns all that was
    not read.
    """
    started_at = runtime.clock()
    readings: list[Reading] = []
    try:
        for reading in _each(runtime, claim, started_at):
            readings.append(reading)  # noqa: PERF402 - what was read before time is up counts
    except TimeLimitReached:
        # There is time to store what was read; the rest is given back.
        log.warning("time-is-up", count=len(readings))
        if not runtime.stopping():
            # A call has a limit of its own: the dossier that held up this one is put aside.
            readings.extend(map(lost, claim.dossiers[len(readings) : len(readings) + 1]))
    in_time = runtime.clock() - started_at <= WORK_BUDGET
    return Readings(tuple(readings), in_time and len(readings) < len(claim.dossiers))


def _each(runtime: Connections, claim: Claim, started_at: datetime) -> Iterator[Reading]:
    for dossier in claim.dossiers:
        if runtime.stopping():
            return
        reading = read_one(runtime, claim, dossier)
        fails = _tell_breakers(runtime, reading)
        yield reading
        if fails or (reading.failure and concerns_all(reading.failure)):
            return
        if runtime.clock() - started_at > WORK_BUDGET:
            return


def from_page(claim: Claim, rows: Iterable[ListedDossier]) -> tuple[Reading, ...]:
    """Readings whose facts, or the failure to read them, came with the rows of a page."""
    listed = {row.number: row for row in rows}
    found = ((dossier, listed[dossier.number]) for dossier in claim.dossiers)
    return tuple(Reading(dossier, row.facts, row.failure, 0) for dossier, row in found)


def concerns_all(failure: Failure) -> bool:
    """Whether a failure says nothing of the dossier but something of the whole procedure."""
    return failure.action in {Action.STOP_PROCEDURE, Action.PAUSE_PROCEDURE, Action.THROTTLED}


def read_one(runtime: Connections, claim: Claim, dossier: DossierRecord) -> Reading:
    """Read one dossier; an error becomes the failure of its reading.

    Raises:
        TimeLimitReached: the task's time is up.
    """
    if dossier.worker_losses >= LOSSES_BEFORE_ASIDE:
        return lost(dossier)
    started_at = runtime.clock()
    result = _facts(runtime, claim, dossier)
    duration_ms = milliseconds(started_at, runtime.clock())
    if isinstance(result, Failure):
        return Reading(dossier, None, result, duration_ms)
    return Reading(dossier, result, None, duration_ms)


def _facts(runtime: Connections, claim: Claim, dossier: DossierRecord) -> Facts | Failure:
    try:
        runtime.throttle_for(claim.form).take(reading=True)
        tps = runtime.tps_for(claim.form)
        return tps.facts(claim.form, claim.rules.permit_types, dossier.number, claim.cursor)
    except Failure as failure:
        runtime.throttle_for(claim.form).pause_if_throttled(failure)
        return failure
    except TimeLimitReached:
        raise
    except Exception:
        log.exception("reading-failed", procedure=dossier.procedure, number=dossier.number)
        return Failure(Cause.INTERNAL)


def lost(dossier: DossierRecord) -> Reading:
    """The reading of a dossier whose reading ended, or held up, a worker."""
    return Reading(dossier, None, Failure(Cause.READER_LOST), 0)


def _tell_breakers(runtime: Connections, reading: Reading) -> bool:
    """Tell the breakers how a reading went; True when the procedure's breaker opened."""
    failure, target = reading.failure, breakers.procedure(reading.dossier.procedure)
    if failure is None or failure.action is Action.PERMANENT:
        runtime.breakers.succeeded(TPS)
        if runtime.breakers.succeeded(target):
            with runtime.database.begin() as connection:
                outages.tps_is_back(runtime, connection, reading.dossier.procedure)
        return False
    known_to_fail = reading.dossier.status is DossierStatus.QUARANTINED
    if failure.action is not Action.RETRY or failure.sign is Sign.OURS:
        return False
    if not outages.counts(runtime, failure):
        return False
    if known_to_fail and failure.sign is not Sign.UNANSWERED:
        # An answer, and no news: some dossiers answer 500 for days, and the others none.
        return False
    if not runtime.breakers.failed(target):
        return False
    runtime.breakers.failed(TPS)
    return True
