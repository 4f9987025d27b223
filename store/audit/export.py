"""The audit log of a period as JSON Lines, for an inspector who has neither the database nor us.

A seal stands for whole runs of lines, so the seals at the borders of a period cover lines
outside it. Those are withheld: only their leaf hashes are in the file, as in every seal.
They show that the line existed, and nothing of it.
"""

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from sqlalchemy import func, select

from store.audit.canonical import Row, encode, expressible
from store.audit.lines import COLUMNS, FORMAT, TABLE, read_all
from store.audit.seal_keys import Signer
from store.audit.seals import Seal, as_text, read_seals
from store.engine import Database
from store.models import AuditSeal
from store.ranges import compress

TITLE = "wif-audit-export"
VERSION = 1
END = ("lines", "unsealed", "withheld", "seals", "sha256")
"""What the last record states and signs: counts, and the hash of everything before it."""

SCHEMA = Path(__file__).with_name("export.schema.json")
"""JSON Schema of one line of the file."""

_AT = COLUMNS.index("at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `since` (included) to `until` (excluded), both timezone-aware; None is open."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: object) -> bool:
        """Whether the instant, as it is hashed, lies in the period."""
        text = str(at)
        after = self.since is None or text >= as_text(self.since)
        return after and (self.until is None or text < as_text(self.until))


@dataclass(slots=True)
class ExportReport:
    """What was written: lines of the period, how many of them under no seal yet, lines withheld."""

    lines: int = 0
    unsealed: int = 0
    withheld: int = 0
    seals: int = 0


class _Writer:
    """Writes records and keeps the hash of what it wrote."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._hash = sha256()

    def write(self, record: dict[str, Any]) -> None:
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        self._hash.update(line)
        self._out.write(line)

    @property
    def digest(self) -> bytes:
        return self._hash.digest()


def export(
    database: Database,
    out: BinaryIO,
    *,
    period: Period,
    now: datetime,
    key: Signer | None = None,
    progress: Callable[[int], None] = lambda _line: None,
) -> ExportReport:
    """Write the lines of `period` with all that is needed to check them offline.

    Args:
        database: where lines and seals are.
        out: gets the file.
        period: by the instant of the lines.
        now: stamped on the file.
        key: signs the file as a whole, so that no line of it can be withheld or cut off later
            by somebody else; None leaves it unsigned.
        progress: told of the last line under the seals that are written.
    """
    writer, report = _Writer(out), ExportReport()
    writer.write(_header(period, now))
    after: int | None = None
    for seal in _seals_of(database, period):
        after = after if report.seals or seal.number == 1 else seal.first_id - 1
        rows = read_all(database, after=after, last=seal.last_id)
        _write_sealed(writer, report, seal, rows, period)
        after = seal.last_id
        progress(after)
    _write_unsealed(writer, report, read_all(database, after=last_sealed(database)), period)
    writer.write(_end(report, writer.digest, key))
    return report


def end_statement(end: dict[str, Any]) -> bytes:
    """The bytes that the signature of the last record covers."""
    return encode([TITLE, *(end[name] for name in END)])


def _header(period: Period, now: datetime) -> dict[str, Any]:
    return {
        "type": "header",
        "title": TITLE,
        "version": VERSION,
        "schema": SCHEMA.name,
        "format": FORMAT,
        "columns": list(COLUMNS),
        "since": None if period.since is None else as_text(period.since),
        "until": None if period.until is None else as_text(period.until),
        "exported_at": as_text(now),
    }


def _seals_of(database: Database, period: Period) -> Iterator[Seal]:
    """The seals that cover lines of the period, with leaf hashes."""
    first, last, number = _bounds(database, period)
    if number is None:
        return
    for seal in read_seals(database, after=number - 1, leaf_hashes=True):
        if seal.first_id > last:
            return
        if seal.last_id >= first:
            yield seal


def _bounds(database: Database, period: Period) -> tuple[int, int, int | None]:
    """The lowest and the highest id in the period, and the number of the first seal for them."""
    ids = select(func.min(TABLE.c.id), func.max(TABLE.c.id))
    if period.since is not None:
        ids = ids.where(TABLE.c.at >= period.since)
    if period.until is not None:
        ids = ids.where(TABLE.c.at < period.until)
    with database.read() as connection:
        first, last = connection.execute(ids).one()
        if first is None:
            return 0, 0, None
        seals = select(func.min(AuditSeal.number)).where(AuditSeal.last_id >= first)
        return first, last, connection.scalar(seals)


def last_sealed(database: Database) -> int | None:
    """The id of the last line that a seal covers; None before the first."""
    with database.read() as connection:
        return connection.scalar(select(func.max(AuditSeal.last_id)))


def _write_sealed(
    writer: _Writer, report: ExportReport, seal: Seal, rows: Iterable[Row], period: Period
) -> None:
    withheld = []
    for row in rows:
        if period.holds(row[_AT]):
            writer.write(_line("line", row))
            report.lines += 1
        else:
            withheld.append(row[0])
    evidence = {
        "withheld": compress(withheld),
        "leaves": base64.b64encode(b"".join(seal.leaf_hashes())).decode(),
    }
    writer.write({**seal.record(), **evidence})
    report.seals += 1
    report.withheld += len(withheld)


def _write_unsealed(
    writer: _Writer, report: ExportReport, rows: Iterable[Row], period: Period
) -> None:
    for row in rows:
        if period.holds(row[_AT]):
            writer.write(_line("unsealed", row))
            report.unsealed += 1


def _line(kind: str, row: Row) -> dict[str, Any]:
    return {"type": kind, **dict(zip(COLUMNS, map(expressible, row), strict=True))}


def _end(report: ExportReport, digest: bytes, key: Signer | None) -> dict[str, Any]:
    end = {"type": "end", **asdict(report), "sha256": digest.hex()}
    public, signature = (key.public, key.sign(end_statement(end))) if key else (None, None)
    return {**end, "public_key": public, "signature": signature}
