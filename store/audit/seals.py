"""Seals: signed statements over runs of audit lines, each chained to the one before.

Writers never wait for a seal. A sealer finds out which ids are final, and then seals up
to there: later transactions can only commit higher ones.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Self

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    func,
    insert,
    select,
    text,
    type_coerce,
)
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.types import NullType

from store.audit import merkle
from store.audit.canonical import Row, encode, fetch, instant_text
from store.audit.lines import FORMAT, leaves, read_lines
from store.audit.seal_keys import Signer, is_signed
from store.engine import Database
from store.models import AuditLine, AuditSeal
from store.ranges import compress, expand

BATCH = 10_000
"""Lines in a seal at most: bounds the memory of sealing, verifying and proving to some 20 MB."""

LOCK_MILLISECONDS = 250
"""How long a sealer waits for writers in flight. Writers that come meanwhile wait behind it, so
this is also the longest that a seal can hold up writers; it lets autovacuum work undisturbed."""

GENESIS = "0" * 64
"""What the first seal is chained to."""

STATED = (
    "format",
    "number",
    "first_id",
    "last_id",
    "size",
    "ids",
    "root",
    "previous",
    "sealed_at",
    "public_key",
)
"""What a seal's signature covers, in this order."""

RECORD = "seal"
"""The type of a seal's record in an exported file."""

_NUMBERS = {"format", "number", "first_id", "last_id", "size"}
_TITLE = "wif-audit-seal"
_LOCK_NOT_AVAILABLE = "55P03"
_PAGE = 16
"""Seals read at a time, with their leaf hashes: up to 5 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One seal as it is stored or exported.

    Attributes:
        format: version of the canonical form of the lines.
        number: 1 for the first, then without a gap.
        first_id: the lowest id of the lines.
        last_id: the highest one.
        size: how many lines.
        ids: which ones, as ranges.
        root: Merkle root of the lines (hex).
        previous: hash of the seal before (hex).
        sealed_at: instant as text, UTC, with microseconds.
        public_key: Ed25519 key that signed (hex).
        signature: over the statement (hex).
        leaves: leaf hashes of the lines one after another: they tell which line was changed.
            Bound by `root`; empty in an exported seal.
    """

    format: int
    number: int
    first_id: int
    last_id: int
    size: int
    ids: str
    root: str
    previous: str
    sealed_at: str
    public_key: str
    signature: str
    leaves: bytes = b""

    @classmethod
    def make(
        cls, key: Signer, rows: Sequence[Row], *, number: int, previous: str, at: datetime
    ) -> Self:
        """Seal `rows`, one or more lines in the order of their ids."""
        hashes = leaves(rows, FORMAT)
        stated: dict[str, Any] = {
            "format": FORMAT,
            "number": number,
            "first_id": rows[0][0],
            "last_id": rows[-1][0],
            "size": len(rows),
            "ids": compress(row[0] for row in rows),
            "root": merkle.root(hashes).hex(),
            "previous": previous,
            "sealed_at": as_text(at),
            "public_key": key.public,
        }
        signature = key.sign(encode(_stating(stated)))
        return cls(**stated, signature=signature, leaves=b"".join(hashes))

    @property
    def statement(self) -> bytes:
        """The bytes that are signed."""
        return encode(_stating(self.stated))

    @property
    def stated(self) -> dict[str, Any]:
        """What the signature covers, by name."""
        return {name: getattr(self, name) for name in STATED}

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of the statement with the signature appended; the next seal states it."""
        return sha256(encode([*_stating(self.stated), self.signature])).hexdigest()

    @property
    def is_signed(self) -> bool:
        """Whether the signature is that of the seal's own key over this statement."""
        return is_signed(self.statement, signature=self.signature, public=self.public_key)

    def record(self) -> dict[str, Any]:
        """The seal as JSON, without leaf hashes."""
        return {"type": RECORD, **self.stated, "signature": self.signature}

    @classmethod
    def from_record(cls, record: dict[str, Any], *, leaf_hashes: bytes = b"") -> Self:
        """The seal that `record` made.

        Raises:
            ValueError: it has other names or other types than a seal's.
        """
        names = {"type", *STATED, "signature"}
        if set(record) != names or record["type"] != RECORD:
            raise ValueError("not a seal")
        if any(type(record[name]) is not int for name in _NUMBERS):
            raise ValueError("a seal without its numbers")
        if any(not isinstance(record[name], str) for name in names - _NUMBERS):
            raise ValueError("a seal without its texts")
        return cls(**{name: record[name] for name in names - {"type"}}, leaves=leaf_hashes)

    def leaf_hashes(self) -> list[bytes]:
        """The leaf hash of each line, in the order of `ids`."""
        step = merkle.HASH_BYTES
        if not isinstance(self.leaves, bytes):
            return []
        return [self.leaves[at : at + step] for at in range(0, len(self.leaves), step)]

    def line_ids(self) -> list[int]:
        """The ids of the lines.

        Raises:
            ValueError: they contradict `size`, `first_id` or `last_id`.
        """
        ids = expand(self.ids, most=self.size)
        if len(ids) != self.size or (ids[0], ids[-1]) != (self.first_id, self.last_id):
            raise ValueError("ids that contradict the seal's bounds")
        return ids


@dataclass(frozen=True, slots=True, kw_only=True)
class SealReport:
    """What a run of the sealer did.

    Attributes:
        lines: how many lines were sealed.
        seals: how many seals were made.
        head: the newest seal of this run, without leaf hashes; None when there was nothing to do.
        waiting: writers were in flight for longer than a sealer waits; the next run tries again.
        overtaken: another sealer was at it, and went on with what is left.
    """

    lines: int = 0
    seals: int = 0
    head: Seal | None = None
    waiting: bool = False
    overtaken: bool = False


def seal_pending(
    database: Database,
    key: Signer,
    *,
    now: datetime,
    batch: int = BATCH,
    most: int = 1_000,
    patience: int = LOCK_MILLISECONDS,
) -> SealReport:
    """Seal every line that is final.

    Args:
        database: where lines and seals are.
        key: signs.
        now: stamped on the seals.
        batch: lines in a seal at most.
        most: seals made in this run at most; each is a transaction of its own.
        patience: milliseconds to wait for writers in flight, on PostgreSQL.
    """
    last = last_final_id(database, patience)
    if last is None:
        return SealReport(waiting=True)
    lines, seals, head = 0, 0, None
    while seals < most:
        try:
            made = _seal_next(database, key, last=last, now=now, batch=batch)
        except IntegrityError:
            return SealReport(lines=lines, seals=seals, head=head, overtaken=True)
        if made is None:
            break
        lines, seals, head = lines + made.size, seals + 1, made
    return SealReport(lines=lines, seals=seals, head=head)


def newest_seal(connection: Connection) -> Seal | None:
    """The last seal, without leaf hashes; None before the first."""
    found = _fetch(connection, lambda every: every.order_by(AuditSeal.number.desc()).limit(1))
    return next(iter(found), None)


def seal_of(connection: Connection, line: int) -> Seal | None:
    """The seal, with leaf hashes, within whose bounds the line with the id `line` lies."""
    bounds = (AuditSeal.last_id >= line) & (AuditSeal.first_id <= line)

    def shape(every: Select[Any]) -> Select[Any]:
        return every.where(bounds).order_by(AuditSeal.last_id).limit(1)

    return next(iter(_fetch(connection, shape, leaf_hashes=True)), None)


def read_seals(
    database: Database, *, after: int | None = None, leaf_hashes: bool = False
) -> Iterator[Seal]:
    """The seals in the order of their numbers, from above `after`, in short transactions."""
    while page := _read_page(database, after, leaf_hashes=leaf_hashes):
        yield from page
        after = page[-1].number


def as_text(instant: datetime) -> str:
    """An instant as it is hashed."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _stating(stated: dict[str, Any]) -> list[Any]:
    return [_TITLE, *(stated[name] for name in STATED)]


def last_final_id(database: Database, patience: int) -> int | None:
    """The highest id up to which no transaction can commit a line any more; None if not in time.

    Ids commit out of order. SHARE mode waits for every transaction that has written to the
    table and keeps new ones out for the instant in which the id is read; SQLite has one writer.
    """
    try:
        with database.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = {int(patience)}"))
                connection.execute(text("LOCK TABLE audit_lines IN SHARE MODE"))
            return connection.scalar(select(func.coalesce(func.max(AuditLine.id), 0)))
    except OperationalError as error:
        if not _is_lock_refused(error):
            raise
        return None


def _is_lock_refused(error: OperationalError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    code = getattr(error.orig, "sqlite_errorcode", None)
    return state == _LOCK_NOT_AVAILABLE or code == sqlite3.SQLITE_BUSY


def _seal_next(
    database: Database, key: Signer, *, last: int, now: datetime, batch: int
) -> Seal | None:
    """Seal the next lines up to the id `last`.

    Raises:
        IntegrityError: another sealer took the number.
    """
    with database.read() as connection:
        head = newest_seal(connection)
        after, number, previous = (
            (head.last_id, head.number + 1, head.hash) if head else (0, 1, GENESIS)
        )
        rows = read_lines(connection, after=after, last=last, limit=batch)
    if not rows:
        return None
    # Neither lines nor seals change, so the number being free is all that has to hold.
    made = Seal.make(key, rows, number=number, previous=previous, at=now)
    with database.begin() as connection:
        connection.execute(insert(AuditSeal), [_stored(made)])
    return made


def _stored(seal: Seal) -> dict[str, Any]:
    instant = datetime.strptime(f"{seal.sealed_at}+0000", "%Y-%m-%d %H:%M:%S.%f%z")
    signed = {"signature": seal.signature, "leaves": seal.leaves}
    return {**seal.stated, "sealed_at": instant, **signed}


def _read_page(database: Database, after: int | None, *, leaf_hashes: bool) -> list[Seal]:
    def shape(every: Select[Any]) -> Select[Any]:
        above = every if after is None else every.where(AuditSeal.number > after)
        return above.order_by(AuditSeal.number).limit(_PAGE)

    with database.read() as connection:
        return _fetch(connection, shape, leaf_hashes=leaf_hashes)


def _fetch(
    connection: Connection,
    shape: Callable[[Select[Any]], Select[Any]],
    *,
    leaf_hashes: bool = False,
) -> list[Seal]:
    names = [*STATED, "signature", *(["leaves"] if leaf_hashes else [])]
    rows = fetch(connection, [_column(name, connection.dialect.name) for name in names], shape)
    return [Seal(**dict(zip(names, row, strict=True))) for row in rows]


def _column(name: str, dialect: str) -> ColumnElement[Any]:
    column = AuditSeal.__table__.c[name]
    if name == "sealed_at":
        return instant_text(column, dialect)
    # SQLite may hold a text where a blob belongs, on which the type's own reading fails.
    return type_coerce(column, NullType()) if name == "leaves" else column
