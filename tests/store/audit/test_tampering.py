"""No change of an audit log goes unseen: every column, byte by byte, of lines and of seals.

The many small changes are made to rows as both engines give them; each class of change is
made in the databases as well, by somebody who switches the triggers off.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import FromClause, LargeBinary, String, text

from store.audit.canonical import Row
from store.audit.check import Chain, Violation, ViolationKind, check_lines, verify
from store.audit.lines import COLUMNS, leaves, read_page
from store.audit.log import Step
from store.audit.seal_keys import SigningKey
from store.audit.seals import Seal, read_seals
from store.base import UtcDateTime
from store.engine import Database
from store.models import AuditLine, AuditSeal
from store.ranges import expand
from tests.store.audit.samples import seal, tampering, unguarded, write

LINES = 2 * len(Step)
"""So many hold every step twice, in different shapes."""


@pytest.fixture
def database(database: Database, key: SigningKey) -> Database:
    write(database, LINES)
    seal(database, key, batch=6)
    return database


class Copy:
    """Lines and seals as the database gives them, to be changed in memory."""

    def __init__(self, database: Database, key: SigningKey) -> None:
        self.rows = read_page(database, after=None)
        self.seals = list(read_seals(database, leaf_hashes=True))
        self.key = key

    def place(self, seal_: Seal) -> list[Row]:
        """The lines that stand where `seal_` says."""
        return [row for row in self.rows if seal_.first_id <= row[0] <= seal_.last_id]

    def findings(self, seals: list[Seal]) -> list[Violation]:
        """What the check says of `seals` over the lines as they are."""
        chain = Chain(trusted=frozenset({self.key.public}), whole=True)
        found: list[Violation] = []
        for one in seals:
            link = chain.check(one)
            rows = self.place(one) if link.sound else []
            found += link.findings
            if link.sound:
                found += check_lines(one, [row[0] for row in rows], leaves(rows))
        return found


@pytest.fixture
def copy(database: Database, key: SigningKey) -> Copy:
    return Copy(database, key)


def texts_unlike(value: str) -> Iterator[object]:
    """Every other text that a small change makes of `value`, and what is no text."""
    yield from (None, f"{value} ", f" {value}", f"{value}\0", value.encode(), 0)
    if value:
        yield ""
    for place in range(len(value)):
        head, char, rest = value[:place], value[place], value[place + 1 :]
        for bit in range(7):
            yield f"{head}{chr(ord(char) ^ 1 << bit)}{rest}"
        yield head + rest
        yield f"{head}{char}{char}{rest}"


def numbers_unlike(value: int) -> Iterator[object]:
    yield from (None, str(value), float(value), value + 0.5, float("inf"), "", b"", -1 - value)
    yield from (value ^ 1 << bit for bit in range(33))


EVERY_BYTE = 5
"""A step through the changes of a text that meets each of its bytes at least once."""


def values_unlike(value: object) -> Iterator[object]:
    """Values that are not `value`, most of them as close to it as can be."""
    if isinstance(value, str):
        yield from texts_unlike(value)
    elif isinstance(value, int):
        yield from numbers_unlike(value)
    elif isinstance(value, bytes):
        yield from (
            value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
            for place in range(0, len(value), 5)
        )
        yield from (None, value.hex(), value[:-1], value + b"\0", b"")
    else:
        yield from ("", "\0", "null", 0, 1, b"", float("inf"))


def test_no_change_of_a_column_gives_the_same_bytes(copy: Copy) -> None:
    """Each small change of each column of lines in every shape has a hash of its own."""
    for row in copy.rows[:12]:
        (sealed,) = leaves([row])
        changed = [
            (*row[:place], other, *row[place + 1 :])
            for place, value in enumerate(row)
            for other in values_unlike(value)
        ]
        hashes = [leaves([one])[0] for one in changed]
        assert sealed not in hashes
        assert leaves(changed) == hashes, "the fast way hashes as the careful one does"


def test_every_column_of_every_kind_of_line_is_watched(copy: Copy) -> None:
    for sealed in copy.seals:
        rows = copy.place(sealed)
        ids, hashes = [row[0] for row in rows], leaves(rows)
        for place, row in enumerate(rows):
            for column, value in enumerate(row[1:], start=1):
                for other in list(values_unlike(value))[::EVERY_BYTE]:
                    edited = (*row[:column], other, *row[column + 1 :])
                    stand = [*hashes[:place], *leaves([edited]), *hashes[place + 1 :]]
                    assert check_lines(sealed, ids, stand) == [
                        Violation(ViolationKind.LINE_EDITED, sealed.number, str(row[0]))
                    ]


def test_every_drop_doubling_and_swap_of_lines_is_seen(copy: Copy) -> None:
    for sealed in copy.seals:
        rows = copy.place(sealed)
        ids, hashes = [row[0] for row in rows], leaves(rows)
        for place, one in enumerate(ids):
            fewer = check_lines(
                sealed, ids[:place] + ids[place + 1 :], hashes[:place] + hashes[place + 1 :]
            )
            assert fewer == [Violation(ViolationKind.LINE_DELETED, sealed.number, str(one))]
            doubled = [*ids[:place], one, *ids[place:]], [*hashes[:place], *hashes[place - 1 :]]
            assert check_lines(sealed, doubled[0], [*hashes[: place + 1], *hashes[place:]])
        for a, b in combinations(range(len(ids)), 2):
            moved = hashes.copy()
            moved[a], moved[b] = moved[b], moved[a]
            swapped = check_lines(sealed, ids, moved)
            assert [one.problem for one in swapped] == [ViolationKind.LINE_EDITED]
            order = ids.copy()
            order[a], order[b] = order[b], order[a]
            assert check_lines(sealed, order, moved) == [
                Violation(ViolationKind.LINES_REORDERED, sealed.number)
            ]


def test_every_column_of_a_seal_is_watched(copy: Copy) -> None:
    first, second, third = copy.seals[:3]
    assert copy.findings([first, second, third]) == []
    for name in AuditSeal.__table__.c.keys():  # noqa: SIM118
        for other in list(values_unlike(getattr(second, name)))[::EVERY_BYTE]:
            if name == "number" and not isinstance(other, int):
                continue  # a primary key holds integers only, on both engines
            changed: dict[str, Any] = {name: other}
            found = copy.findings([first, replace(second, **changed), third])
            assert found, (name, other)


def test_every_drop_doubling_and_swap_of_seals_is_seen(copy: Copy) -> None:
    seals = copy.seals
    for place in range(len(seals) - 1):
        assert copy.findings(seals[:place] + seals[place + 1 :])
        assert copy.findings(seals[: place + 1] + seals[place:])
    for a, b in combinations(range(len(seals)), 2):
        swapped = seals.copy()
        swapped[a], swapped[b] = (
            replace(seals[b], number=seals[a].number),
            replace(seals[a], number=seals[b].number),
        )
        assert copy.findings(swapped)
        swapped[a], swapped[b] = seals[b], seals[a]
        assert copy.findings(swapped)


TEXT_CHANGES = (
    "CASE WHEN {c} IS NULL OR {c} = '' THEN ' ' ELSE substr({c}, 1, length({c}) - 1) END",
    "CASE WHEN {c} IS NULL OR {c} = '' THEN 'x' ELSE '~' || substr({c}, 2) END",
    "CASE WHEN {c} IS NULL THEN '' WHEN {c} = '' THEN NULL ELSE 'é' || substr({c}, 2) END",
)
NUMBER_CHANGES = (
    "CASE WHEN {c} IS NULL THEN 0 WHEN {c} = 0 THEN NULL ELSE {c} - 1 END",
    "CASE WHEN {c} IS NULL THEN 1 ELSE -1 - {c} END",
)
INSTANT_CHANGES: dict[str, tuple[str, ...]] = {
    "sqlite": (
        "strftime('%Y-%m-%d %H:%M:%f000', {c}, '+1 second')",
        "replace({c}, ' ', 'T')",
        "{c} || ' '",
        "substr({c}, 1, 19)",
        "''",
    ),
    "postgresql": (
        "{c} + interval '1 microsecond'",
        "{c} - interval '4000 years'",
        "{c} + interval '9000 years'",
        "'infinity'",
        "'-infinity'",
    ),
}
BLOB_CHANGES: dict[str, tuple[str, ...]] = {
    "sqlite": ("zeroblob(0)", "substr({c}, 2)", "hex({c})", "CAST(hex({c}) AS BLOB)"),
    "postgresql": ("''::bytea", "substr({c}, 2)", "set_byte({c}, 33, 256 - get_byte({c}, 33) - 1)"),
}
ODD_CHANGES: dict[str, tuple[str, ...]] = {
    "postgresql": (),
    "sqlite": (
        "x''",
        "x'ff'",
        "CAST(x'ff' AS TEXT)",
        "CAST(x'c3' AS TEXT)",
        "0.5",
        "9e999",
        "-9e999",
        "CAST({c} || '' AS BLOB)",
    ),
}
"""SQLite takes anything in any column: blobs, reals, infinity, texts that are not UTF-8."""

DIFFERS = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}


def _changes(table: FromClause, column: str, dialect: str) -> tuple[str, ...]:
    """What `column` is set to, in SQL."""
    kind = table.c[column].type
    plain: tuple[str, ...] = TEXT_CHANGES if isinstance(kind, String) else NUMBER_CHANGES
    if isinstance(kind, UtcDateTime):
        plain = INSTANT_CHANGES[dialect]
    elif isinstance(kind, LargeBinary):
        plain = BLOB_CHANGES[dialect]
    return plain + ODD_CHANGES[dialect]


class Hand:
    """Sets a column to something else, tells in which rows that made a difference, undoes it."""

    def __init__(self, database: Database, table: FromClause, key: str) -> None:
        self._database = database
        self._table = str(table)
        self._key = key
        with database.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE kept AS SELECT * FROM {table}")  # noqa: S608

    def change(self, column: str, value: str, where: str = "1 = 1") -> list[int]:
        """Set `column` to the expression `value`; the keys of the rows that are different now."""
        differs = DIFFERS[self._database.dialect]
        with self._database.begin() as connection:
            connection.exec_driver_sql(
                f"UPDATE {self._table} SET {column} = {value.format(c=column)} WHERE {where}"  # noqa: S608
            )
            changed = connection.exec_driver_sql(
                f"SELECT t.{self._key} FROM {self._table} t JOIN kept k ON k.{self._key} = "  # noqa: S608
                f"t.{self._key} WHERE t.{column} {differs} k.{column} ORDER BY 1"
            )
            return [row[0] for row in changed]

    def undo(self, column: str) -> None:
        """Put back what was kept of `column`."""
        with self._database.begin() as connection:
            connection.exec_driver_sql(
                f"UPDATE {self._table} SET {column} = (SELECT k.{column} FROM kept k "  # noqa: S608
                f"WHERE k.{self._key} = {self._table}.{self._key})"
            )


def test_a_change_of_any_column_in_the_database_names_each_line(
    database: Database, key: SigningKey
) -> None:
    table = AuditLine.__table__
    changed_in_all = 0
    with unguarded(database):
        hand = Hand(database, table, "id")
        for column in COLUMNS[1:]:
            for value in _changes(table, column, database.dialect):
                changed = hand.change(column, value)
                findings = verify(database, trusted=frozenset({key.public})).findings
                assert {one.problem for one in findings} == {ViolationKind.LINE_EDITED}, (
                    column,
                    value,
                )
                named = [line for one in findings for line in expand(one.lines, most=LINES)]
                assert named == changed, (column, value)
                changed_in_all += len(changed)
                hand.undo(column)
        assert verify(database).intact
    assert changed_in_all > len(COLUMNS[1:]) * LINES * 2


def test_a_change_of_any_column_of_a_seal_in_the_database_is_seen(
    database: Database, key: SigningKey
) -> None:
    table, seen = AuditSeal.__table__, 0
    with unguarded(database):
        hand = Hand(database, table, "number")
        for column in table.c.keys()[1:]:
            for value in _changes(table, column, database.dialect):
                changed = hand.change(column, value, "number = 4")
                findings = verify(database, trusted=frozenset({key.public})).findings
                assert [one.seal for one in findings] == changed, (column, value)
                seen += len(changed)
                hand.undo(column)
        assert verify(database).intact
    assert seen > 2 * len(table.c)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_lines SET id = 1000 + id",
        "UPDATE audit_lines SET id = -id",
        "UPDATE audit_seals SET number = 100 + number",
        "UPDATE audit_seals SET number = -number",
        "DELETE FROM audit_lines",
        "DELETE FROM audit_seals WHERE number = 1",
        "DELETE FROM audit_seals WHERE number BETWEEN 2 AND 8",
    ],
)
def test_renumbering_or_dropping_wholesale_is_seen(
    database: Database, key: SigningKey, statement: str
) -> None:
    with tampering(database) as connection:
        connection.execute(text(statement))
    assert verify(database, trusted=frozenset({key.public})).findings


def test_every_single_line_that_is_dropped_or_doubled_in_the_database_is_named(
    database: Database, key: SigningKey
) -> None:
    columns = ", ".join(COLUMNS[1:])
    with unguarded(database):
        for line in range(1, LINES, 5):
            with database.begin() as connection:
                copy = f"INSERT INTO audit_lines (id, {columns}) SELECT {{new}}, {columns} FROM audit_lines WHERE id = {{old}}"  # noqa: S608, E501
                drop = f"DELETE FROM audit_lines WHERE id = {line}"  # noqa: S608
                connection.exec_driver_sql(copy.format(new=-line, old=line))
                connection.exec_driver_sql(drop)
            problems = [str(one) for one in verify(database).findings]
            assert f"line-inserted -{line}" in problems[0]
            assert any(one.endswith(f"line-deleted {line}") for one in problems)
            with database.begin() as connection:
                connection.exec_driver_sql(copy.format(new=line, old=-line))
                connection.exec_driver_sql(f"DELETE FROM audit_lines WHERE id = -{line}")  # noqa: S608
    assert verify(database).intact
