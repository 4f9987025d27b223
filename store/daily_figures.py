"""What happened in a month, from the dossiers that are stored and from those that were purged.

What a purge removes is counted by day in the commit that removes it, and names no dossier: so each
is counted once, whatever happens to it. The stored ones are found by index: to count a month costs
what happened in it, however many dossiers there are.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, String, func, select, text, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from routing.facts import DossierState
from store.base import table_of
from store.count_models import DailyFigure
from store.models import Dossier, Procedure

_THIS = table_of(DailyFigure).c
_DOSSIERS = table_of(Dossier).c

READ_AT_ONCE = 10_000
"""Rows that are in memory at the same time while a month is counted."""


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


def add_purged(connection: Connection, counts: Mapping[Slot, int]) -> None:
    """Count dossiers as purged, in the commit that removes them."""
    if not counts:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement: Any = dialect.insert(table_of(DailyFigure))
    rows = [{**slot._asdict(), "purged": count} for slot, count in sorted(counts.items())]
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[column.name for column in table_of(DailyFigure).primary_key],
            set_={"purged": _THIS.purged + statement.excluded.purged},
        ),
        rows,
    )


def keep_out_purges(connection: Connection) -> None:
    """Let no purge commit before this transaction: it counts what is stored and what was purged."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE daily_figures IN SHARE MODE"))


def filed_between(
    connection: Connection, start: datetime, end: datetime
) -> Iterator[tuple[str, str, int]]:
    """How many of the stored dossiers were filed from `start` on and before `end`.

    Yields:
        Département, permit type (both empty where unknown), and how many.
    """
    query = (
        select(_PLACE, _KIND, func.count())
        .where(_READ, _DOSSIERS.filed_at >= start, _DOSSIERS.filed_at < end)
        .group_by(_PLACE, _KIND)
    )
    yield from map(tuple, connection.execute(query))


def decided_between(
    connection: Connection, start: datetime, end: datetime
) -> Iterator[tuple[str, str, str, str, str]]:
    """Each of the stored dossiers that was decided from `start` on and before `end`.

    Hours are written by the database: to make an instant of each costs more than all the rest.

    Yields:
        The hours of its deposit and of its decision, as `Counted` has them, its département, its
        permit type (both empty where unknown) and its state.
    """
    sqlite_ = connection.dialect.name == "sqlite"
    hours = [_hour(each, sqlite_=sqlite_) for each in (_DOSSIERS.filed_at, _DOSSIERS.ended_at)]
    query = select(*hours, _PLACE, _KIND, _DOSSIERS.state).where(
        # The index begins with the procedure.
        _DOSSIERS.procedure == table_of(Procedure).c.number,
        _READ,
        _DOSSIERS.filed_at.is_not(None),
        _DOSSIERS.state.in_(sorted(_DECIDED)),
        _DOSSIERS.ended_at >= start,
        _DOSSIERS.ended_at < end,
    )
    rows = connection.execute(query.execution_options(yield_per=READ_AT_ONCE))
    for part in rows.partitions():
        yield from map(tuple, part)


def purged_between(
    connection: Connection, first: date, after: date
) -> Iterator[tuple[Happening, str, str, int, int]]:
    """What was counted of purged dossiers from the day `first` on and before `after`.

    Yields:
        What happened, département, permit type, working days, and how many.
    """
    key = (_THIS.event, _THIS.department, _THIS.permit_type, _THIS.working_days)
    query = (
        select(*key, func.sum(_THIS.purged))
        .where(_THIS.day >= first, _THIS.day < after, _THIS.purged > 0)
        .group_by(*key)
    )
    for event, place, kind, days, total in connection.execute(query):
        yield Happening(event), place, kind, days, int(total)


def first_day(connection: Connection) -> date | None:
    """A day before which nothing was filed, at most one too early; None while nothing was."""
    earliest = select(_DOSSIERS.filed_at).where(_READ, _DOSSIERS.filed_at.is_not(None))
    stored = connection.execute(earliest.order_by(_DOSSIERS.filed_at).limit(1)).scalar()
    purged = connection.execute(select(_THIS.day).order_by(_THIS.day).limit(1)).scalar()
    return min([*([stored.date()] if stored else ()), *([purged] if purged else ())], default=None)


_READ = _DOSSIERS.facts_hash.is_not(None)
_PLACE = func.coalesce(_DOSSIERS.department, "")
_KIND = func.coalesce(_DOSSIERS.permit_type, "")


def _hour(instant: ColumnElement[datetime], *, sqlite_: bool) -> ColumnElement[str]:
    if sqlite_:
        # Stored as `YYYY-MM-DD HH:MM:SS.ffffff`, in UTC.
        return func.substr(type_coerce(instant, String), 1, len("YYYY-MM-DD HH"))
    return func.to_char(func.timezone("UTC", instant), "YYYY-MM-DD HH24")
