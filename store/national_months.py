"""What the national office was told of each month: written once, then only read."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from store.base import table_of
from store.count_models import NationalMonth
from store.upsert import insert_new


def told(connection: Connection, months: Iterable[date]) -> dict[date, Any]:
    """The figures of those of `months` that were told, as they were given to `tell`."""
    columns = table_of(NationalMonth).c
    query = select(columns.month, columns.figures).where(columns.month.in_([*months]))
    return {row.month: row.figures for row in connection.execute(query)}


def tell(connection: Connection, figures: Mapping[date, Any], now: datetime) -> None:
    """Store the figures (JSON) of months; those that were told before stay as they are."""
    rows = [{"month": day, "figures": each, "told_at": now} for day, each in figures.items()]
    if rows:
        connection.execute(insert_new(connection, NationalMonth), rows)
