"""Many rows in one statement.

PostgreSQL gets them as one JSON document: one round trip and one statement that stays
prepared, however many rows there are, at a third of what a parameter for each value
costs. On SQLite, where there is no round trip, the driver's own loop does as well.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Dialect,
    Text,
    Update,
    bindparam,
    case,
    cast,
    column,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeDecorator, TypeEngine

from store.base import Base, table_of
from store.upsert import insert_new

Row = Mapping[str, Any]

Fixed = tuple[tuple[str, Any], ...]
"""Names of columns and what every row gets there."""

DOCUMENT = "document"
"""The parameter that takes what `document` makes."""

_LEASE = "lease"
_PARAMETER = "given_{}"
"""A parameter must not have the name of a column that is written."""


def insert_rows(connection: Connection, model: type[Base], rows: Sequence[Row]) -> None:
    """Insert `rows`, which all have the same names; one whose key is taken is left out."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(insert_new(connection, model), list(rows))
        return
    names = tuple(rows[0])
    connection.execute(_inserting(model, names), {DOCUMENT: document(connection, model, rows)})


def update_leased(
    connection: Connection,
    model: type[Base],
    rows: Sequence[Row],
    *,
    keys: tuple[str, ...],
    fixed: Fixed,
    first: tuple[str, ...] = (),
    lease: str,
) -> None:
    """Write each row over the one of the same key, where `lease` still stands.

    Args:
        connection: the transaction.
        model: of the table.
        rows: keys and values by the names of their columns, the same names in all.
        keys: the names that find a row.
        fixed: what all of them get as well.
        first: columns that keep the first value they got, until they are given null.
        lease: token of the lease.
    """
    if not rows:
        return
    names = tuple(rows[0])
    if connection.dialect.name == "sqlite":
        statement = _updating(model, names, keys, fixed, first, each=True)
        connection.execute(statement, [{**_named(row), _LEASE: lease} for row in rows])
        return
    given = {DOCUMENT: document(connection, model, rows), _LEASE: lease}
    connection.execute(_updating(model, names, keys, fixed, first, each=False), given)


@lru_cache
def _inserting(model: type[Base], names: tuple[str, ...]) -> postgresql.Insert:
    given = as_table(model, names)
    chosen = select(*(given.c[name] for name in names))
    statement = postgresql.insert(table_of(model)).from_select(
        names, chosen, include_defaults=False
    )
    return statement.on_conflict_do_nothing()


@lru_cache
def _updating(
    model: type[Base],
    names: tuple[str, ...],
    keys: tuple[str, ...],
    fixed: Fixed,
    first: tuple[str, ...],
    *,
    each: bool,
) -> Update:
    """The statement for a row by itself, or for all of a document."""
    table = table_of(model).c
    rows = None if each else as_table(model, names).c
    given: dict[str, ColumnElement[Any]] = {
        name: bindparam(_PARAMETER.format(name), type_=table[name].type)
        if rows is None
        else rows[name]
        for name in names
    }
    values: dict[str, Any] = {name: value for name, value in given.items() if name not in keys}
    for name in first:
        kept = func.coalesce(table[name], given[name])
        values[name] = case((given[name].is_(None), None), else_=kept)
    return (
        update(table_of(model))
        .where(*(table[key] == given[key] for key in keys))
        .where(table.lease_token == bindparam(_LEASE))
        .values({**values, **dict(fixed)})
    )


def _named(row: Row) -> dict[str, Any]:
    return {_PARAMETER.format(name): value for name, value in row.items()}


def as_table(
    model: type[Base], names: tuple[str, ...], *more: ColumnElement[Any]
) -> TableValuedAlias:
    """The rows of a document as a table, on PostgreSQL: columns of `model` and `more`."""
    columns = [column(name, table_of(model).c[name].type) for name in names]
    given = cast(bindparam(DOCUMENT, type_=Text), JSON)
    rows = func.json_to_recordset(given).table_valued(*columns, *more)
    return rows.render_derived(name="given", with_types=True)


def document(connection: Connection, model: type[Base], rows: Sequence[Row]) -> str:
    """`rows`, which all have the same names, as one document; not all are columns of `model`."""
    decorated = [
        (name, kind)
        for name in rows[0]
        if name in table_of(model).c
        and isinstance(kind := table_of(model).c[name].type, TypeDecorator)
    ]
    return orjson.dumps([_bound(row, decorated, connection.dialect) for row in rows]).decode()


def _bound(
    row: Row, decorated: Sequence[tuple[str, TypeEngine[Any]]], dialect: Dialect
) -> dict[str, Any]:
    """`row` with each value as its column's type would give it to the driver."""
    bound = dict(row)
    for name, kind in decorated:
        assert isinstance(kind, TypeDecorator)  # noqa: S101
        bound[name] = kind.process_bind_param(bound[name], dialect)
    return bound
