"""The audit log in partitions by month, on PostgreSQL, made while the service goes on writing.

Lines never change, so they are copied in the order of their ids into a table that has partitions,
up to where no line can come any more, in short transactions that hold up nobody. Then, under a lock
of an instant, the last few follow and the tables change names. A run that was cut off goes on where
it stopped.

Deliveries stay in one table. PostgreSQL keeps a key unique within a partition only, unless the
month is part of the key, and "never told twice" rests on a key without a month; docs/operations.md
says more.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from store import grants, schema
from store.audit.append_only import triggers
from store.audit.seals import last_final_id
from store.engine import Database
from store.models import AuditLine
from store.partition_names import (
    TABLE,
    first_day,
    later,
    month_of,
    months,
    name_of,
    open_name,
    open_partition,
    quoted,
)

COPY = "audit_lines_by_month"
OLD = "audit_lines_unpartitioned"

AHEAD = 24
"""Months for which partitions are made before their time."""

SOON = 3
"""Months before the end of the made ones at which more are asked for."""

BATCH = 20_000
"""Lines copied in one commit: some tenths of a second."""

COMPARED = 10
"""Batches that are compared in one query."""

PATIENCE = schema.Patience(seconds=2, tries=30)

Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""


class PartitionError(Exception):
    """The audit log cannot be partitioned. Its text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Partitioned:
    """What a run came to.

    Attributes:
        copied: lines that were moved; 0 where there were partitions already.
        partitions: how many there are now.
        until: the first day that has no partition of its month yet.
    """

    copied: int
    partitions: int
    until: date


def partition(
    database: Database,
    now: datetime,
    *,
    role: str | None = None,
    progress: Progress = lambda *_: None,
    batch: int = BATCH,
) -> Partitioned:
    """Partition the audit log by month, or make partitions of months to come.

    Args:
        database: whose owner we are.
        now: the present instant.
        role: that the service works with, where it is not the owner.
        progress: told of each batch.
        batch: lines copied in one commit.

    Raises:
        PartitionError: it is no PostgreSQL, has an older schema, or the copy is not the same.
    """
    _refuse(database)
    copied = 0
    if not is_partitioned(database):
        _prepare(database, now)
        copied = _copy(database, progress, batch)
        _compare(database, progress, batch * COMPARED)
        copied += _copy(database, progress, batch)
        copied += _patiently(database, lambda connection: _swap(connection, role))
    _patiently(database, lambda connection: _extend(connection, now, role))
    _patiently(database, _drop_old)
    with database.begin() as connection:
        connection.execute(text(f"ANALYZE {TABLE}"))
        names = _partitions(connection)
        return Partitioned(copied, len(names), first_day(open_partition(names)))


def is_partitioned(database: Database) -> bool:
    """Whether the audit log has partitions."""
    if database.dialect != "postgresql":
        return False
    with database.read() as connection:
        return _is_partitioned(connection)


def months_ahead(database: Database, now: datetime) -> int | None:
    """For how many months to come there are partitions; None where there are none at all."""
    if not is_partitioned(database):
        return None
    with database.read() as connection:
        end = first_day(open_partition(_partitions(connection)))
    return (end.year - now.year) * 12 + end.month - now.month


def _refuse(database: Database) -> None:
    if database.dialect != "postgresql":
        raise PartitionError("only PostgreSQL has partitions; SQLite needs none")
    if not schema.is_current(database):
        raise PartitionError("the database has an older schema: run `wif db upgrade` first")


def _is_partitioned(connection: Connection) -> bool:
    query = text("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(:table)")
    return bool(connection.scalar(query, {"table": TABLE}))


def _patiently(database: Database, work: Callable[[Connection], int]) -> int:
    """`work` in one transaction that waits for locks for a moment only, again until it gets them.

    Raises:
        PartitionError: the table is in use all the time.
    """
    for _ in range(PATIENCE.tries):
        try:
            with database.begin() as connection:
                _lock(connection)
                connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE.seconds}s'"))
                return work(connection)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != schema.LOCK_NOT_AVAILABLE:
                raise
        time.sleep(PATIENCE.pause)
    raise PartitionError(
        "the audit log is in use all the time, by a backup perhaps: run this again later, it goes "
        "on where it stopped"
    )


def _lock(connection: Connection) -> None:
    """One process at a time changes the schema."""
    key = {"key": schema.MIGRATION_LOCK}
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), key)


# --- the copy ---------------------------------------------------------------------------------


def _prepare(database: Database, now: datetime) -> None:
    """Make the empty copy with its partitions, where it is not there yet."""
    with database.begin() as connection:
        _lock(connection)
        if _is_partitioned(connection) or _is_begun(connection):
            return
        first: datetime = connection.scalar(text(f"SELECT min(at) FROM {TABLE}")) or now  # noqa: S608
        for statement in _making():
            connection.execute(text(statement))
        begin, end = month_of(min(first, now)), later(month_of(now), AHEAD + 1)
        bound = "MINVALUE"
        for month in months(begin, end):
            _add(connection, COPY, name_of(month), bound, quoted(later(month, 1)))
            bound = quoted(later(month, 1))
        _add(connection, COPY, open_name(end), quoted(end), "MAXVALUE")


def _making() -> Iterator[str]:
    yield f"CREATE TABLE {COPY} (LIKE {TABLE} INCLUDING DEFAULTS) PARTITION BY RANGE (at)"
    yield f"ALTER TABLE {COPY} ADD CONSTRAINT pk_{COPY} PRIMARY KEY (id, at)"
    for name, columns in _indexes():
        yield f"CREATE INDEX {name}_by_month ON {COPY} ({columns})"
    yield from triggers(COPY, "postgresql")


def _indexes() -> Iterator[tuple[str, str]]:
    for index in sorted(AuditLine.__table__.indexes, key=lambda index: str(index.name)):  # type: ignore[attr-defined]
        yield str(index.name), ", ".join(column.name for column in index.columns)


def _add(connection: Connection, parent: str, name: str, since: str, before: str) -> None:
    """Make a partition. Of the triggers that its parent has, that on TRUNCATE is not its own."""
    connection.execute(
        text(f"CREATE TABLE {name} PARTITION OF {parent} FOR VALUES FROM ({since}) TO ({before})")
    )
    connection.execute(text(triggers(name, "postgresql")[-1]))


def _copy(database: Database, progress: Progress, size: int) -> int:
    """Copy lines that are final, until next to nothing is left; how many."""
    copied, final = 0, _final(database)
    while True:
        batch = _copy_batch(database, final, size)
        copied += batch
        progress("copy", copied, max(copied, final))
        if batch < size:
            before, final = final, _final(database)
            if final - before < size:
                return copied


def _final(database: Database) -> int:
    """The id up to which no line can come any more, waited for."""
    for _ in range(PATIENCE.tries):
        found = last_final_id(database, int(PATIENCE.seconds * 1000))
        if found is not None:
            return found
        time.sleep(PATIENCE.pause)
    raise PartitionError("the audit log is in use all the time: run this again later")


def _copy_batch(database: Database, final: int, size: int) -> int:
    with database.begin() as connection:
        _lock(connection)
        if _is_partitioned(connection):
            return 0  # another process was at it, and has finished
        query = text(
            f"INSERT INTO {COPY} SELECT * FROM {TABLE} "  # noqa: S608 - names of ours
            "WHERE id > :done AND id <= :final ORDER BY id LIMIT :batch"
        )
        given = {"done": _done(connection), "final": final, "batch": size}
        return connection.execute(query, given).rowcount


def _done(connection: Connection) -> int:
    """The last id of the copy: below any id where it is empty."""
    found: int | None = connection.scalar(text(f"SELECT max(id) FROM {COPY}"))  # noqa: S608
    return -(2**63) if found is None else found


def _compare(database: Database, progress: Progress, span: int) -> None:
    """See that the copy holds the same as the original, up to where it goes.

    Raises:
        PartitionError: it does not; nothing was changed.
    """
    with database.read() as connection:
        _lock(connection)
        if _is_partitioned(connection):
            return
        last = _done(connection)
        least = f"SELECT least((SELECT min(id) FROM {TABLE}), (SELECT min(id) FROM {COPY}))"  # noqa: S608
        at: int = connection.scalar(text(least)) or 0
    while at <= last:
        upto = min(at + span, last + 1)
        with database.read() as connection:
            _lock(connection)
            if _is_partitioned(connection):
                return  # another process was at it, and has finished
            if _digest(connection, TABLE, at, upto) != _digest(connection, COPY, at, upto):
                raise PartitionError(
                    f"the copy differs between the lines {at} and {upto}: run `wif audit verify`; "
                    f"then drop the table {COPY} and run this again"
                )
        progress("compare", upto, last + 1)
        at = upto


def _digest(connection: Connection, table: str, first: int, upto: int) -> object:
    query = text(
        "SELECT count(*), sum(hashtextextended(line::text, 0)::numeric) "  # noqa: S608
        f"FROM {table} AS line WHERE id >= :first AND id < :upto"
    )
    return tuple(connection.execute(query, {"first": first, "upto": upto}).one())


# --- the change of names ----------------------------------------------------------------------


def _swap(connection: Connection, role: str | None) -> int:
    """Let the copy take the place of the table; how many lines were copied in that instant."""
    if _is_partitioned(connection):
        return 0
    connection.execute(text(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE"))
    last = connection.execute(
        text(f"INSERT INTO {COPY} SELECT * FROM {TABLE} WHERE id > :done"),  # noqa: S608
        {"done": _done(connection)},
    ).rowcount
    sequence = connection.scalar(text(f"SELECT pg_get_serial_sequence('{TABLE}', 'id')"))
    for statement in _renaming():
        connection.execute(text(statement))
    connection.execute(text(f"ALTER SEQUENCE {sequence} OWNED BY {TABLE}.id"))
    if role:
        grants.grant(connection, role)
    return last


def _renaming() -> Iterator[str]:
    names = [name for name, _ in _indexes()]
    yield f"ALTER TABLE {TABLE} RENAME TO {OLD}"
    yield f"ALTER TABLE {OLD} RENAME CONSTRAINT pk_{TABLE} TO pk_{OLD}"
    for name in names:
        yield f"ALTER INDEX {name} RENAME TO {name}_unpartitioned"
    yield f"ALTER TABLE {COPY} RENAME TO {TABLE}"
    yield f"ALTER TABLE {TABLE} RENAME CONSTRAINT pk_{COPY} TO pk_{TABLE}"
    for name in names:
        yield f"ALTER INDEX {name}_by_month RENAME TO {name}"


def _drop_old(connection: Connection) -> int:
    """Drop what the copy took the place of: it was compared before."""
    connection.execute(text(f"DROP TABLE IF EXISTS {OLD}"))
    return 0


# --- months to come ---------------------------------------------------------------------------


def _extend(connection: Connection, now: datetime, role: str | None) -> int:
    """Make partitions of months to come out of the last one, which is open; how many."""
    last = open_partition(_partitions(connection))
    start, end = first_day(last), later(month_of(now), AHEAD + 1)
    if start >= end:
        return 0
    connection.execute(text(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE"))
    connection.execute(text(f"ALTER TABLE {TABLE} DETACH PARTITION {last}"))
    start = _close(connection, last, start)
    end = max(end, start)
    for month in months(start, end):
        _add(connection, TABLE, name_of(month), quoted(month), quoted(later(month, 1)))
    _add(connection, TABLE, open_name(end), quoted(end), "MAXVALUE")
    if role:
        grants.grant(connection, role)
    return 1


def _close(connection: Connection, last: str, start: date) -> date:
    """What becomes of the detached open partition; the day from which on there is room again.

    Where nobody made partitions in time it holds lines, and becomes that of several months.
    """
    latest: datetime | None = connection.scalar(text(f"SELECT max(at) FROM {last}"))  # noqa: S608
    if latest is None:
        connection.execute(text(f"DROP TABLE {last}"))
        return start
    border = later(month_of(latest), 1)
    connection.execute(text(f"ALTER TABLE {last} RENAME TO {name_of(start)}"))
    bounds = f"FROM ({quoted(start)}) TO ({quoted(border)})"
    connection.execute(
        text(f"ALTER TABLE {TABLE} ATTACH PARTITION {name_of(start)} FOR VALUES {bounds}")
    )
    return border


def _partitions(connection: Connection) -> list[str]:
    query = text(
        "SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid "
        "WHERE inhparent = to_regclass(:table) ORDER BY 1"
    )
    return list(connection.scalars(query, {"table": TABLE}))


def _is_begun(connection: Connection) -> bool:
    """Whether a run was cut off whose copy can be gone on with; another one is dropped."""
    query = text(
        "SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute "
        "WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped"
    )
    columns = [connection.scalar(query, {"table": table}) for table in (COPY, TABLE)]
    if columns[0] is not None and columns[0] != columns[1]:
        connection.execute(text(f"DROP TABLE {COPY}"))
    return bool(columns[0] == columns[1])
