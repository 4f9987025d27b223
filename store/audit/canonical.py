"""Values of a table as bytes to be hashed: the same on both engines.

An intruder can put anything into a column, on SQLite even a blob, a real or a text that is
not UTF-8. Nothing of that may end a program, or look the same as another content.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import Any, TypeAlias

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    String,
    case,
    cast,
    func,
    select,
    type_coerce,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.types import NullType

Row: TypeAlias = tuple[Any, ...]

_PLAIN = {int, str, type(None)}


def encode(values: Iterable[object]) -> bytes:
    """A compact JSON array in UTF-8; what is not an integer, a text or null becomes an object."""
    row = tuple(values)
    try:
        if _PLAIN.issuperset(map(type, row)):
            return orjson.dumps(row)
    except TypeError:
        pass
    return orjson.dumps(list(map(expressible, row)))


def encode_all(version: int, rows: Sequence[Row]) -> list[bytes]:
    """`encode` of each row with `version` before it, fast while all of them are as expected."""
    kinds = {kind for column in zip_longest(*rows) for kind in set(map(type, column))}
    if kinds <= _PLAIN:
        head = b"[%d," % version
        try:
            return [head + orjson.dumps(row)[1:] for row in rows]
        except TypeError:
            pass
    return [encode((version, *row)) for row in rows]


def instant_text(column: ColumnElement[Any], dialect: str) -> ColumnElement[str | None]:
    """An instant as `2026-01-31 12:00:00.000000`, in UTC.

    SQLite stores that very text, which is taken as it is, so that no two texts look the same.
    On PostgreSQL what `datetime` cannot express (infinity, years before Christ) is NULL.
    """
    if dialect == "sqlite":
        return type_coerce(column, String)
    text = func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24:MI:SS.US")
    first, last = func.timestamptz("0001-01-01 00:00:00+00"), func.timestamptz("infinity")
    return case(((column >= first) & (column < last), text))


def fetch(
    connection: Connection,
    columns: Sequence[ColumnElement[Any]],
    shape: Callable[[Select[Any]], Select[Any]],
) -> list[Row]:
    """The rows of `columns` under the conditions and the order that `shape` adds."""
    try:
        return list(map(tuple, connection.execute(shape(select(*columns)))))
    except OperationalError:
        if connection.dialect.name != "sqlite":
            raise
    return _fetch_undecodable(connection, columns, shape)


def _fetch_undecodable(
    connection: Connection,
    columns: Sequence[ColumnElement[Any]],
    shape: Callable[[Select[Any]], Select[Any]],
) -> list[Row]:
    """SQLite's driver refuses all rows for one text that is not UTF-8: decode here instead."""
    kinds = [func.typeof(column) for column in columns]
    raw = [
        case((kind == "text", cast(column, LargeBinary)), else_=type_coerce(column, NullType()))
        for column, kind in zip(columns, kinds, strict=True)
    ]
    selected: list[ColumnElement[Any]] = [type_coerce(one, NullType()) for one in raw]
    rows = connection.execute(shape(select(*selected, *kinds)))
    width = len(columns)
    return [tuple(map(_decoded, row[:width], row[width:])) for row in rows]


def _decoded(value: object, kind: str) -> object:
    is_text = kind == "text" and isinstance(value, bytes)
    return value.decode("utf-8", "surrogateescape") if is_text else value  # type: ignore[attr-defined]


def expressible(value: object) -> object:
    """`value` as JSON can say it: an object when it is not an integer, a text or null."""
    if isinstance(value, str):
        return value if _is_utf8(value) else {"text": value.encode("utf-8", "surrogatepass").hex()}
    if isinstance(value, bytes):
        return {"blob": value.hex()}
    if value is None or isinstance(value, dict) or (type(value) is int and abs(value) < 2**63):
        return value
    return {type(value).__name__: repr(value)}


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
