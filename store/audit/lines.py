"""Audit lines as evidence: every column of a line as it stands in the table, and its leaf hash."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from store.audit import merkle
from store.audit.canonical import Row, encode_all, fetch, instant_text
from store.engine import Database
from store.models import AuditLine
from store.number_filter import number_in

FORMAT = 2
"""Version of the canonical form: it stands before the columns in the bytes that are hashed. A new
column of the table makes a new version, while lines in seals of an older one keep their bytes."""

WIDTHS = {1: 14, 2: 15}
"""How many of the columns each version holds; later ones were empty when it sealed."""

COLUMNS = (
    "id",
    "at",
    "step",
    "procedure",
    "dossier_ref",
    "key_id",
    "event",
    "channel",
    "unit",
    "rule",
    "ruleset",
    "reason",
    "attempt",
    "duration_ms",
    "actor",
)
"""What the canonical form holds, in this order."""

PAGE = 10_000
"""Lines read at a time: about 10 MB."""

TABLE = AuditLine.__table__


def leaves(rows: Sequence[Row], version: int = FORMAT) -> list[bytes]:
    """The leaf hash of each row.

    A column that the version did not know is left out while it is empty; one that was filled
    in since makes another hash, and so shows as a change.
    """
    width = WIDTHS.get(version, len(COLUMNS))
    if width < len(COLUMNS):
        rows = [row[:width] if set(row[width:]) <= {None} else row for row in rows]
    return [merkle.leaf_hash(entry) for entry in encode_all(version, rows)]


class LineReader:
    """Reads the lines in the order of their ids, a page at a time, in short transactions.

    It begins with the lowest id there is, which need not be positive after tampering.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._after: int | None = None
        self._page: list[Row] = []
        self._ended = False

    def take(self, last: int) -> list[Row]:
        """The next lines up to the id `last`."""
        taken: list[Row] = []
        while not self._ended and (not self._page or self._page[-1][0] <= last):
            taken += self._page
            self._read()
        here = _count_until(self._page, last)
        taken += self._page[:here]
        self._page = self._page[here:]
        return taken

    def skip(self, first: int) -> None:
        """Pass over the lines before the id `first`."""
        while not self._ended and (not self._page or self._page[-1][0] < first):
            self._read()
        self._page = self._page[_count_until(self._page, first - 1) :]

    def _read(self) -> None:
        self._page = read_page(self._database, after=self._after)
        self._ended = not self._page
        if self._page:
            self._after = self._page[-1][0]


def read_page(
    database: Database, *, after: int | None, last: int | None = None, limit: int = PAGE
) -> list[Row]:
    """The first `limit` lines above the id `after` and up to `last`, in the order of their ids."""
    with database.read() as connection:
        return read_lines(connection, after=after, last=last, limit=limit)


def read_lines(
    connection: Connection, *, after: int | None, last: int | None = None, limit: int = PAGE
) -> list[Row]:
    """`read_page` in the transaction of `connection`.

    Tampering can give an id twice: all lines with the last id come with its page, which
    may so be longer than `limit`, and none falls between two pages.
    """

    def shape(statement: Select[Any]) -> Select[Any]:
        if after is not None:
            statement = statement.where(TABLE.c.id > after)
        if last is not None:
            statement = statement.where(TABLE.c.id <= last)
        return statement.order_by(TABLE.c.id).limit(limit)

    rows = fetch(connection, columns(connection.dialect.name), shape)
    return rows if len(rows) < limit else _with_all_of_the_last_id(connection, rows)


def _with_all_of_the_last_id(connection: Connection, rows: list[Row]) -> list[Row]:
    last = rows[-1][0]

    def shape(statement: Select[Any]) -> Select[Any]:
        return statement.where(TABLE.c.id == last).limit(PAGE)

    same = fetch(connection, columns(connection.dialect.name), shape)
    return [row for row in rows if row[0] != last] + same


def read_all(
    database: Database, *, after: int | None = None, last: int | None = None
) -> Iterator[Row]:
    """Every line above the id `after` and up to `last`, a page at a time."""
    while page := read_page(database, after=after, last=last):
        yield from page
        after = page[-1][0]


def lines_of(connection: Connection, refs: Sequence[str]) -> list[Row]:
    """Every line that refers to a dossier by one of `refs`, in the order of their ids."""

    def shape(statement: Select[Any]) -> Select[Any]:
        return statement.where(TABLE.c.dossier_ref.in_(refs)).order_by(TABLE.c.id)

    return fetch(connection, columns(connection.dialect.name), shape)


def repeated(connection: Connection, ids: Sequence[int]) -> frozenset[int]:
    """Those of `ids` that several lines have: which of them was sealed is not known."""
    of = TABLE.c.id
    query = select(of).where(number_in(of, "ids")).group_by(of).having(func.count() > 1)
    return frozenset(connection.scalars(query, {"ids": ids}))


def has_odd_ids(connection: Connection) -> bool:
    """Whether a line has an id that is no number: SQLite takes one in a table that was remade."""
    if connection.dialect.name != "sqlite":
        return False
    odd = func.typeof(TABLE.c.id) != "integer"
    return connection.scalar(select(TABLE.c.id).where(odd).limit(1)) is not None


def key_ids(connection: Connection) -> list[str]:
    """The ids of all audit keys under which lines refer to dossiers."""
    found = select(TABLE.c.key_id).where(TABLE.c.key_id.is_not(None)).distinct()
    return list(connection.scalars(found))


def acted(connection: Connection) -> list[tuple[str, int, datetime]]:
    """Who acted by hand, how often and when last, the latest first."""
    last = func.max(AuditLine.at)
    query = (
        select(AuditLine.actor, func.count(), last)
        .where(AuditLine.actor.is_not(None))
        .group_by(AuditLine.actor)
        .order_by(last.desc())
    )
    return [(str(actor), count, at) for actor, count, at in connection.execute(query)]


def columns(dialect: str) -> list[ColumnElement[Any]]:
    """The columns of the canonical form, as they are read for it."""
    return [
        instant_text(TABLE.c.at, dialect) if name == "at" else TABLE.c[name] for name in COLUMNS
    ]


def _count_until(rows: Sequence[Row], last: int) -> int:
    """How many of `rows`, which ascend by id, have an id up to `last`."""
    return bisect_right(rows, last, key=itemgetter(0))
