"""Schema drift fails closed: a procedure whose form seems to have changed is paused.

The batch in which that shows is held as well: it is looked at before anything of it is
stored. A person looks, mends the configuration if need be, and resumes the procedure;
what was held is then read again and accepted as it is.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from config import logs
from routing.drift import Count, DrivingField, Tally, count
from service.read import Reading
from store import drift, procedures
from store.audit.log import AuditEntry, Step
from store.procedures import ProcedureStatus

DRIFT = "schema-drift"
"""The reason of a paused procedure and of the dossiers that it holds."""

log = logs.get_logger("tasks")


def must_hold(connection: Connection, procedure: int, readings: Sequence[Reading]) -> bool:
    """Whether a batch of good readings may not be decided: it drifts, or another one did."""
    if procedures.status(connection, procedure) is ProcedureStatus.PAUSED:
        return True
    known = drift.tallies(connection, procedure)
    batch = _count(readings)
    return any(known.get(field, Tally()).jumps(seen) for field, seen in batch.items())


def accept(connection: Connection, procedure: int, readings: Sequence[Reading]) -> None:
    """Count readings in that were decided. The last thing that their transaction does."""
    if readings:
        drift.accept(connection, procedure, _count(readings))


def pause(connection: Connection, procedure: int) -> list[AuditEntry]:
    """Pause a procedure until a person resumes it; its line, unless it was paused already."""
    if not procedures.pause(connection, procedure, reason=DRIFT):
        return []
    log.error("procedure-paused", procedure=procedure)
    return [AuditEntry(step=Step.PROCEDURE_PAUSED, procedure=procedure, reason=DRIFT)]


def _count(readings: Sequence[Reading]) -> Mapping[DrivingField, Count]:
    pairs = ((reading.dossier.facts, reading.facts) for reading in readings)
    return count((before, facts) for before, facts in pairs if facts is not None)
