"""Dossiers counted by day: what public statistics are made of, and what outlives a purge.

A row says how many were filed, or decided, on a day in Paris, and names none of them. It counts
those that are stored, anew each time, apart from those that were purged, which are added in the
commit that removes them: so each dossier is counted once, whatever happens to it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, case, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from routing.facts import DossierState
from store.models import DailyFigure, Dossier, table_of

_THIS = table_of(DailyFigure).c
_DOSSIERS = table_of(Dossier).c

READ_AT_ONCE = 10_000
"""Dossiers that are in memory at the same time while all are counted."""


class Happening(StrEnum):
    """What is counted of a dossier."""

    FILED = "filed"
    DECIDED = "decided"


class Slot(NamedTuple):
    """What a row counts.

    Attributes:
        day: in Paris.
        event: what happened on it.
        department: code of the département of competence, empty when it is unknown.
        permit_type: code of the permit type, empty when it is unknown.
        working_days: that a decision took, 0 for deposits.
    """

    day: date
    event: Happening
    department: str
    permit_type: str
    working_days: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted of a dossier that was read; `ended_at` only when an office decided it."""

    filed_at: datetime
    ended_at: datetime | None
    department: str | None
    permit_type: str | None


COUNTED_COLUMNS = (
    _DOSSIERS.filed_at,
    _DOSSIERS.ended_at,
    _DOSSIERS.state,
    _DOSSIERS.department,
    _DOSSIERS.permit_type,
    _DOSSIERS.facts_hash,
)
"""What `counted` needs of a dossier's row."""

_DECIDED = frozenset(state.value for state in DossierState if state.decided)


def counted(row: Any) -> Counted | None:  # noqa: ANN401
    """What is counted of a row with `COUNTED_COLUMNS`; None for one that was never read."""
    if row.facts_hash is None or row.filed_at is None:
        return None
    ended_at = row.ended_at if row.state in _DECIDED else None
    return Counted(row.filed_at, ended_at, row.department, row.permit_type)


def stored_dossiers(connection: Connection) -> Iterator[Counted]:
    """What is counted of each dossier that is stored and was read."""
    query = select(*COUNTED_COLUMNS).where(_DOSSIERS.facts_hash.is_not(None))
    rows = connection.execution_options(yield_per=READ_AT_ONCE).execute(query)
    for row in rows:
        if (found := counted(row)) is not None:
            yield found


def purged_total(connection: Connection) -> int:
    """How much was ever added by purges: it tells whether one happened in between."""
    query = select(func.coalesce(func.sum(_THIS.purged), 0))
    return int(connection.execute(query).scalar_one())


def lock(connection: Connection) -> None:
    """Keep others from writing here until the commit, so that counts and purges do not mix."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE daily_figures IN SHARE ROW EXCLUSIVE MODE"))


def stored_counts(connection: Connection) -> dict[Slot, int]:
    """How many stored dossiers each row counts, without those that count none."""
    columns = (_THIS.day, _THIS.event, _THIS.department, _THIS.permit_type, _THIS.working_days)
    rows = connection.execute(select(*columns, _THIS.stored).where(_THIS.stored != 0))
    return {Slot(day, Happening(event), *rest): count for day, event, *rest, count in rows}


def set_stored(connection: Connection, counts: Mapping[Slot, int]) -> None:
    """Write how many stored dossiers some rows count; others stay as they are."""
    given = [{**slot._asdict(), "stored": count, "purged": 0} for slot, count in counts.items()]
    _write(connection, given, {"stored": lambda new: new.stored})


def add_purged(connection: Connection, counts: Mapping[Slot, int]) -> None:
    """Count dossiers as purged that were counted as stored, in the commit that removes them."""
    given = [{**slot._asdict(), "stored": 0, "purged": count} for slot, count in counts.items()]
    _write(
        connection,
        given,
        {
            "purged": lambda new: _THIS.purged + new.purged,
            # Those that were never counted as stored are not taken away from others.
            "stored": lambda new: _less(_THIS.stored, new.purged),
        },
    )


def _less(stored: Any, purged: Any) -> Any:  # noqa: ANN401

    return case((stored > purged, stored - purged), else_=0)


def _write(connection: Connection, rows: list[dict[str, Any]], changes: Mapping[str, Any]) -> None:
    if not rows:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement: Any = dialect.insert(table_of(DailyFigure))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[column.name for column in table_of(DailyFigure).primary_key],
            set_={name: change(statement.excluded) for name, change in changes.items()},
        ),
        rows,
    )


class MonthRow(NamedTuple):
    """The sum of the rows of a month that differ in nothing but the day."""

    event: Happening
    department: str
    permit_type: str
    working_days: int
    dossiers: int


def month(connection: Connection, first: date, after: date) -> list[MonthRow]:
    """What was counted from a day on and before another, the days added up."""
    columns = (_THIS.event, _THIS.department, _THIS.permit_type, _THIS.working_days)
    query = (
        select(*columns, func.sum(_THIS.stored + _THIS.purged))
        .where(_THIS.day >= first, _THIS.day < after)
        .group_by(*columns)
    )
    return [
        MonthRow(Happening(event), place, kind, days, int(total))
        for event, place, kind, days, total in connection.execute(query)
        if total
    ]


def by_day(connection: Connection) -> Iterator[tuple[date, Happening, int]]:
    """How many were filed, and decided, on each day, in order."""
    query = (
        select(_THIS.day, _THIS.event, func.sum(_THIS.stored + _THIS.purged))
        .group_by(_THIS.day, _THIS.event)
        .order_by(_THIS.day, _THIS.event)
    )
    for day, event, count in connection.execute(query):
        yield day, Happening(event), int(count)
