"""Reading claimed dossiers from TPS, one by one: a bad one never stops the others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from config import logs
from routing.facts import Facts
from routing.failures import Action, Cause, Failure
from routing.forms import Form
from routing.ruleset import RuleSet
from service.guards import breakers, outages
from service.guards.breakers import TPS, BreakerState
from service.guards.limits import DEATHS_BEFORE_ASIDE, WORK_BUDGET
from service.guards.time_limit import TimeLimitReached
from service.runtime import Runtime
from store.dossiers import DossierRecord, DossierStatus

_OUR_OWN = {Cause.INTERNAL, Cause.READER_LOST}
"""Causes that say nothing of TPS."""

log = logs.get_logger("tasks")


@dataclass(frozen=True, slots=True)
class Reading:
    """What TPS said of one dossier: its facts, or why there are none."""

    dossier: DossierRecord
    facts: Facts | None
    failure: Failure | None
    duration_ms: int


def reading_state(runtime: Runtime, procedure: int) -> BreakerState:
    """Whether dossiers of a procedure may be read now, or only one, to see whether it answers."""
    runtime.breakers.refresh()
    targets = (TPS, breakers.procedure(procedure))
    states = {runtime.breakers.state(target) for target in targets}
    return next(
        each
        for each in (BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED)
        if each in states
    )


def read_all(
    runtime: Runtime, rules: RuleSet, form: Form, dossiers: Iterable[DossierRecord]
) -> Iterator[Reading]:
    """Read each dossier until time is up, or until TPS refuses, throttles or fails us altogether.

    The last reading may carry a failure whose action is `stop-procedure` or `throttled`:
    it tells about all that was not read.
    """
    started_at = runtime.clock()
    for dossier in dossiers:
        if runtime.stopping():
            return
        reading = _read(runtime, rules, form, dossier)
        fails = _tell_breakers(runtime, reading)
        yield reading
        if fails or (reading.failure and concerns_all(reading.failure)):
            return
        if runtime.clock() - started_at > WORK_BUDGET:
            return


def concerns_all(failure: Failure) -> bool:
    """Whether a failure says nothing of the dossier but something of the whole procedure."""
    return failure.action in {Action.STOP_PROCEDURE, Action.THROTTLED}


def _read(runtime: Runtime, rules: RuleSet, form: Form, dossier: DossierRecord) -> Reading:
    started_at = runtime.clock()
    if dossier.deaths >= DEATHS_BEFORE_ASIDE:
        return lost(dossier)
    try:
        runtime.throttle.take(reading=True)
        facts = runtime.tps.read(form, dossier.number, rules.permit_types)
    except Failure as failure:
        runtime.throttle.heed(failure)
        return Reading(dossier, None, failure, _elapsed(started_at, runtime.clock()))
    except TimeLimitReached:
        raise
    except Exception:
        log.exception("reading-failed", procedure=dossier.procedure, number=dossier.number)
        error = Failure(Cause.INTERNAL)
        return Reading(dossier, None, error, _elapsed(started_at, runtime.clock()))
    return Reading(dossier, facts, None, _elapsed(started_at, runtime.clock()))


def lost(dossier: DossierRecord) -> Reading:
    """What reading a dossier came to that ended, or held up, the process that read it."""
    return Reading(dossier, None, Failure(Cause.READER_LOST), 0)


def _tell_breakers(runtime: Runtime, reading: Reading) -> bool:
    """Tell how a reading went; True when the procedure is to be left alone from now on."""
    failure, target = reading.failure, breakers.procedure(reading.dossier.procedure)
    if failure is None or failure.action is Action.PERMANENT:
        runtime.breakers.succeeded(TPS)
        if runtime.breakers.succeeded(target):
            with runtime.database.begin() as connection:
                outages.tps_is_back(runtime, connection, reading.dossier.procedure)
        return False
    known_to_fail = reading.dossier.status is DossierStatus.QUARANTINED
    if failure.action is not Action.RETRY or failure.cause in _OUR_OWN:
        return False
    if not outages.counts(runtime, failure):
        return False
    if known_to_fail and failure.cause not in outages.UNANSWERED:
        # An answer, and no news: some dossiers answer 500 for days, and the others none.
        return False
    if not runtime.breakers.failed(target):
        return False
    runtime.breakers.failed(TPS)
    return True


def _elapsed(start: datetime, end: datetime) -> int:
    return max(0, int((end - start).total_seconds() * 1000))
