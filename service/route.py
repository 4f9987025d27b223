"""Routing a batch of due dossiers: claim, read, decide, commit.

One commit holds everything that follows from a batch: facts, decisions, deliveries, audit.
No transaction is open while TPS is read.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from service.claim import Claim, claim_due, give_back, isolate
from service.guards.breakers import BreakerState
from service.guards.limits import ROUTE_BATCH
from service.read import Reading, read_all, reading_state
from service.report import Totals
from service.runtime import Runtime
from service.settle import announce, settle
from store import procedures
from store.procedures import ProcedureStatus
from store.settle import Settled


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteReport(Totals, Settled):
    """What became of one batch.

    Attributes:
        claimed: dossiers that this worker had.
        more: whether there may be more to claim at once.
        cause: code of the last failure to read a dossier, None without any.
    """

    claimed: int = 0
    more: bool = False
    cause: str | None = None


def route(runtime: Runtime, procedure: int, *, limit: int = ROUTE_BATCH) -> RouteReport:
    """Read and settle up to `limit` due dossiers of a procedure."""
    rules = runtime.rules()
    form = rules.forms.get(procedure)
    if form is None or not _is_active(runtime, procedure):
        return RouteReport()
    state = reading_state(runtime, procedure)
    if state is BreakerState.OPEN:
        return RouteReport()
    limit = 1 if state is BreakerState.HALF_OPEN else limit
    claim = claim_due(runtime, rules, form, limit=limit)
    if not claim.dossiers:
        return RouteReport()
    if len(claim.dossiers) == ROUTE_BATCH:
        # Another worker may take the rest meanwhile.
        runtime.waker.route(procedure)
    chosen = isolate(runtime, claim)
    try:
        readings = read_all(runtime, chosen)
        settled = _commit(runtime, chosen, readings.readings)
    except BaseException:
        give_back(runtime, chosen)
        raise
    announce(runtime, chosen, settled)
    more = len(claim.dossiers) == limit or len(chosen.dossiers) < len(claim.dossiers)
    return RouteReport(
        **asdict(settled),
        claimed=len(chosen.dossiers),
        more=more and not readings.halted,
        cause=_last_cause(readings.readings),
    )


def _is_active(runtime: Runtime, procedure: int) -> bool:
    with runtime.database.autocommit_read() as connection:
        return procedures.status(connection, procedure) is ProcedureStatus.ACTIVE


def _commit(runtime: Runtime, claim: Claim, readings: Sequence[Reading]) -> Settled:
    with runtime.database.begin() as connection:
        return settle(runtime, connection, claim, readings)


def _last_cause(readings: Sequence[Reading]) -> str | None:
    failures = (reading.failure for reading in reversed(readings))
    return next((failure.cause.value for failure in failures if failure), None)
