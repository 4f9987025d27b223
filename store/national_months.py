"""What national reports tell of a month beside its public figures: written once, then only read."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import Connection, select

from store.base import table_of
from store.count_models import NationalMonth
from store.upsert import insert_new

Outcomes = Mapping[tuple[str, str], int]
"""Decisions by state and permit type; either can be a total."""


def told(connection: Connection, months: Iterable[date]) -> dict[date, Outcomes]:
    """What was told of those of `months` of which something was."""
    columns = table_of(NationalMonth).c
    query = select(columns.month, columns.figures).where(columns.month.in_([*months]))
    return {
        row.month: {(state, kind): count for state, kind, count in row.figures["decided"]}
        for row in connection.execute(query)
    }


def tell(connection: Connection, month: date, outcomes: Outcomes, now: datetime) -> None:
    """Store what is told of a month; what was told of it before stays as it is."""
    decided = [[state, kind, count] for (state, kind), count in outcomes.items()]
    row = {"month": month, "figures": {"decided": decided}, "told_at": now}
    connection.execute(insert_new(connection, NationalMonth).values(row))
