"""An audit log with lines of every kind, and a way to change it that the database allows nobody."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from store.audit.log import AuditEntry, AuditLog, Step
from store.audit.seal_keys import Signer, SigningKey, load_or_create_signing_key
from store.audit.seals import SealReport, seal_pending
from store.engine import Database

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
SECRET = bytes(range(32))
LOG = AuditLog([SECRET])

TABLES = ("audit_lines", "audit_seals")
TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"

SHAPES: Sequence[dict[str, Any]] = (
    {"procedure": 13760, "number": 1},
    {"procedure": 13760, "number": 2, "attempt": 1, "duration_ms": 0},
    {"procedure": 33588, "number": 3, "event": "filed", "channel": "mail", "unit": "UD075"},
    {"procedure": 33588},
    {"rule": "paris-apprentissage", "ruleset": "ab" * 32, "reason": "successor-unit"},
    {"unit": "", "reason": "é", "attempt": 2**31 - 1, "duration_ms": 12_345, "actor": "admin"},
)


def lines(count: int) -> list[AuditEntry]:
    """`count` lines: every step, in every shape in turn."""
    shapes = cycle(SHAPES)
    steps = cycle(step for step in Step for _ in range(2))
    return [AuditEntry(step=next(steps), **next(shapes)) for _ in range(count)]


def write(database: Database, count: int, *, at: datetime = START) -> None:
    """Write lines, one transaction and one second for every ten."""
    every = lines(count)
    for place in range(0, count, 10):
        with database.begin() as connection:
            instant = at + timedelta(seconds=place // 10, microseconds=place)
            LOG.append(connection, instant, every[place : place + 10])


def signing_key(folder: Path) -> SigningKey:
    """A key of the test's own."""
    return load_or_create_signing_key(folder / "seal.key")


def seal(database: Database, key: Signer, *, batch: int = 1_000) -> SealReport:
    """Seal what is pending, an hour after the first line."""
    return seal_pending(database, key, now=START + timedelta(hours=1), batch=batch)


@contextmanager
def unguarded(database: Database) -> Iterator[None]:
    """The triggers that make tables append-only are off, as for somebody who owns the database."""
    if database.dialect == "postgresql":
        _run(database, *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in TABLES))
        yield
        _run(database, *(f"ALTER TABLE {table} ENABLE TRIGGER ALL" for table in TABLES))
        return
    with database.read() as connection:
        triggers = connection.execute(text(TRIGGERS)).all()
    _run(database, *(f"DROP TRIGGER {name}" for name, _ in triggers))
    yield
    _run(database, *(statement for _, statement in triggers))


@contextmanager
def tampering(database: Database) -> Iterator[Connection]:
    """A transaction in which nothing is refused."""
    with unguarded(database), database.begin() as connection:
        yield connection


def _run(database: Database, *statements: str) -> None:
    with database.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
