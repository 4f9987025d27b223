"""Tallies: how often a field was blank in a procedure. Counts only, no dossier."""

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, select, update

from routing.drift import Count, DrivingField, Tally, drifts
from store import procedures
from store.base import table_of
from store.bulk import insert_rows
from store.count_models import FieldTally
from store.procedures import ProcedureStatus

_TABLE = table_of(FieldTally)
_ALL = select(_TABLE).where(_TABLE.c.procedure == bindparam("of")).order_by(_TABLE.c.field)
_LOCKED = _ALL.with_for_update()
_COUNTING = (
    update(_TABLE)
    .where(_TABLE.c.procedure == bindparam("of"), _TABLE.c.field == bindparam("which"))
    .values(
        known_read=bindparam("new_known_read"),
        known_blank=bindparam("new_known_blank"),
        recent_read=bindparam("new_recent_read"),
        recent_blank=bindparam("new_recent_blank"),
    )
)


def tallies(
    connection: Connection, procedure: int, *, lock: bool = False
) -> dict[DrivingField, Tally]:
    """What is known of each field of a procedure; empty where nothing was ever read.

    `lock` keeps others from writing them until the commit.
    """
    rows = connection.execute(_LOCKED if lock else _ALL, {"of": procedure})
    return {
        DrivingField(row.field): Tally(
            Count(row.known_read, row.known_blank), Count(row.recent_read, row.recent_blank)
        )
        for row in rows
    }


def must_hold(connection: Connection, procedure: int, batch: Mapping[DrivingField, Count]) -> bool:
    """Whether a batch may not be decided: it drifts, or another one paused the procedure."""
    if procedures.status(connection, procedure) is ProcedureStatus.PAUSED:
        return True
    return drifts(tallies(connection, procedure), batch)


def accept(connection: Connection, procedure: int, batch: Mapping[DrivingField, Count]) -> None:
    """Count a batch in. The last statement of its transaction: others wait for the row."""
    known = tallies(connection, procedure, lock=True)
    after = {field: known.get(field, Tally()).after(count) for field, count in batch.items()}
    counted = [
        {"of": procedure, "which": field.value, **_renamed(_values(after[field]))}
        for field in batch
        if field in known
    ]
    if counted:
        connection.execute(_COUNTING, counted)
    begun = [
        {"procedure": procedure, "field": field.value, **_values(after[field])}
        for field in batch
        if field not in known and batch[field].read
    ]
    insert_rows(connection, FieldTally, begun)


def forget(connection: Connection, procedure: int) -> None:
    """Know nothing of a procedure any more: what it shows from now on is how it is."""
    connection.execute(delete(FieldTally).where(FieldTally.procedure == procedure))


def _values(tally: Tally) -> dict[str, int]:
    return {
        "known_read": tally.known.read,
        "known_blank": tally.known.blank,
        "recent_read": tally.recent.read,
        "recent_blank": tally.recent.blank,
    }


def _renamed(values: Mapping[str, int]) -> dict[str, int]:
    """The values as parameters: these must not have the names of columns that are written."""
    return {f"new_{name}": value for name, value in values.items()}
