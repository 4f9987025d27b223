"""Dossiers counted by day: what public statistics are made of, and what outlives a purge.

A row says how many were filed, or decided, on a day in Paris, and names none of them. It counts
those that are stored, anew each time, apart from those that were purged, which are added in the
commit that removes them: so each dossier is counted once, whatever happens to it.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, String, case, func, select, text, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from routing.facts import DossierState
from store.base import table_of
from store.count_models import DailyFigure
from store.models import Dossier

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
        event: what happened on it, a `Happening`.
        department: code of the département of competence, empty when it is unknown.
        permit_type: code of the permit type, empty when it is unknown.
        working_days: that a decision took, 0 for deposits.
    """

    day: date
    event: str
    department: str
    permit_type: str
    working_days: int


class Counted(NamedTuple):
    """What is counted of a dossier that was read.

    Attributes:
        filed: the hour of its deposit, as `YYYY-MM-DD HH` in UTC.
        ended: that of its decision, None unless an office decided it.
        department: code, empty when it is unknown.
        permit_type: code, empty when it is unknown.
    """

    filed: str
    ended: str | None
    department: str
    permit_type: str


_HOUR = "%Y-%m-%d %H"
_DECIDED = frozenset(state.value for state in DossierState if state.ended)


def counted(row: Any) -> Counted | None:  # noqa: ANN401
    """What is counted of a row of the table of dossiers; None for one that was never read."""
    if row.facts_hash is None or row.filed_at is None:
        return None
    ended = row.ended_at if row.state in _DECIDED else None
    return Counted(
        row.filed_at.astimezone(UTC).strftime(_HOUR),
        ended and ended.astimezone(UTC).strftime(_HOUR),
        row.department or "",
        row.permit_type or "",
    )


COUNTED_COLUMNS = (
    _DOSSIERS.filed_at,
    _DOSSIERS.ended_at,
    _DOSSIERS.state,
    _DOSSIERS.department,
    _DOSSIERS.permit_type,
    _DOSSIERS.facts_hash,
)
"""What `counted` needs."""


def stored_dossiers(connection: Connection) -> Iterator[tuple[str, str | None, str, str]]:
    """What `counted` says of each dossier that is stored and was read, as plain tuples.

    Hours are written by the database: to make an instant of each costs more than all the rest.
    """
    sqlite_ = connection.dialect.name == "sqlite"
    decided = _DOSSIERS.state.in_(sorted(_DECIDED))
    query = select(
        _hour(_DOSSIERS.filed_at, sqlite_=sqlite_),
        case((decided, _hour(_DOSSIERS.ended_at, sqlite_=sqlite_)), else_=None),
        func.coalesce(_DOSSIERS.department, ""),
        func.coalesce(_DOSSIERS.permit_type, ""),
    ).where(_DOSSIERS.facts_hash.is_not(None), _DOSSIERS.filed_at.is_not(None))
    rows = connection.execution_options(yield_per=READ_AT_ONCE).execute(query)
    for part in rows.partitions():
        yield from part


def _hour(instant: ColumnElement[datetime], *, sqlite_: bool) -> ColumnElement[str]:
    if sqlite_:
        # Stored as `YYYY-MM-DD HH:MM:SS.ffffff`, in UTC.
        return func.substr(type_coerce(instant, String), 1, len("YYYY-MM-DD HH"))
    return func.to_char(func.timezone("UTC", instant), "YYYY-MM-DD HH24")


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
    return {Slot(*slot): count for *slot, count in rows}


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
