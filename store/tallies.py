"""Tallies: what metrics count, read without looking at a dossier.

Triggers add every change to `tally_deltas` in its own transaction (see the migrations); the
sum of both tables is exact at any moment. A row of a latency holds seconds until it is summed
up, and then a count for its bucket.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Select,
    String,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite

from store.base import table_of
from store.count_models import Tally, TallyDelta


class Metric(StrEnum):
    """What is tallied."""

    DOSSIERS = "dossiers"
    DELIVERIES = "deliveries"
    ATTEMPTS = "attempts"
    FILED_TO_SEEN = "filed-to-seen"
    FILED_TO_SENT = "filed-to-sent"
    REQUESTS = "tps-requests"


LATENCIES = (Metric.FILED_TO_SEEN, Metric.FILED_TO_SENT)
BUCKETS = (5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 86_400)
"""Upper bounds of latencies, in seconds."""

BEYOND = "+Inf"
SUM = "sum"
"""What stands where a bucket would, for the sum of all seconds."""

MOST_AT_ONCE = 100_000
"""Deltas summed up in one statement."""

CELL = ("metric", "procedure", "permit_type", "department", "channel", "outcome")

_TALLIES = table_of(Tally)
_DELTAS = table_of(TallyDelta)


@dataclass(frozen=True, slots=True)
class Cell:
    """How many there are of one kind; fields that say nothing of it are empty."""

    metric: str
    procedure: int
    permit_type: str
    department: str
    channel: str
    outcome: str
    amount: int


def read(connection: Connection) -> list[Cell]:
    """Every cell that is not 0, as of the transaction of `connection`."""
    return [cell for row in connection.execute(_reading()) if (cell := Cell(*row)).amount]


def add_requests(connection: Connection, counted: Mapping[str, int]) -> None:
    """Add requests to TPS, counted by their status or the code of what failed."""
    rows = [
        {"metric": Metric.REQUESTS.value, "outcome": outcome, "amount": amount}
        for outcome, amount in sorted(counted.items())
    ]
    if rows:
        connection.execute(insert(_DELTAS), rows)


def sum_up(connection: Connection) -> None:
    """Move deltas that are committed into the tallies.

    Done twice at the same time it does no harm: each delta is removed once.
    """
    first = connection.execute(select(func.min(_DELTAS.c.id))).scalar()
    if first is None:
        return
    given = {"end": first + MOST_AT_ONCE}
    if connection.dialect.name == "sqlite":
        connection.execute(_adding(select(_DELTAS).where(_BEFORE_END).subquery(), sqlite), given)
        connection.execute(delete(_DELTAS).where(_BEFORE_END), given)
    else:
        taken = delete(_DELTAS).where(_BEFORE_END).returning(*_DELTAS.c).cte("taken")
        connection.execute(_adding(taken, postgresql), given)


_BEFORE_END = _DELTAS.c.id < bindparam("end")


def _adding(deltas: FromClause, dialect: Any) -> Any:  # noqa: ANN401
    """The sums of `deltas` added to the tallies."""
    statement = dialect.insert(_TALLIES).from_select([*CELL, "amount"], _summed(_counted(deltas)))
    return statement.on_conflict_do_update(
        index_elements=list(CELL),
        set_={"amount": _TALLIES.c.amount + statement.excluded.amount},
    )


@cache
def _reading() -> Select[Any]:
    tallied = select(*(_TALLIES.c[name] for name in (*CELL, "amount")))
    return _summed(union_all(tallied, *_counted(_DELTAS).selects))


def _summed(cells: CompoundSelect[Any]) -> Select[Any]:
    given = cells.subquery().c
    key = [given[name] for name in CELL]
    total = cast(func.sum(given.amount), BigInteger).label("amount")
    return select(*key, total).group_by(*key)


def _counted(deltas: FromClause) -> CompoundSelect[Any]:
    """The cells of deltas: a latency counts in its bucket, and its seconds in the sum."""
    given = deltas.c
    latency = given.metric.in_([metric.value for metric in LATENCIES])
    others = [given[name] for name in CELL[:-1]]
    counts = select(
        *others,
        case((latency, _bucket(given.amount)), else_=given.outcome).label("outcome"),
        case((latency, 1), else_=given.amount).label("amount"),
    )
    seconds = select(*others, literal(SUM, String(32)).label("outcome"), given.amount)
    return union_all(counts, seconds.where(latency))


def _bucket(seconds: ColumnElement[int]) -> ColumnElement[str]:
    bounds = [(seconds <= bound, str(bound)) for bound in BUCKETS]
    return case(*bounds, else_=BEYOND)
