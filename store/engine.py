"""The connection to the database: short transactions, both engines alike."""

import itertools
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Dialect, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

T = TypeVar("T")

RETRY_PAUSE_SECONDS = 0.5

POOL_SIZE = 2
STATEMENT_TIMEOUT_SECONDS = 60
IDLE_TRANSACTION_SECONDS = 60
SESSION_OPTIONS = (
    f"-c timezone=UTC -c statement_timeout={STATEMENT_TIMEOUT_SECONDS}s "
    f"-c idle_in_transaction_session_timeout={IDLE_TRANSACTION_SECONDS}s"
)
POOLED_OPTIONS = {"prepare_threshold": None}
"""PgBouncer refuses options at the start, and hands prepared statements to the next client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long is waited for a database, in seconds.

    Attributes:
        answer: for a whole answer of PostgreSQL, however it comes: longer than a statement.
        busy: for the other writer of SQLite, which has one at a time.
        rest: after which a pooled connection is asked whether it lives before it is used. Asking
            each time would cost a round trip for every transaction of a busy worker.
    """

    answer: float = 75.0
    busy: float = 30.0
    rest: float = 1.0


TIMING = Timing()


class Database:
    """Opens transactions. The engine is made on first use in each process.

    With `?pooling=transaction` in its address PostgreSQL is behind PgBouncer, which gives a
    connection for a transaction only: nothing is prepared or set for longer than that.

    A connection inherited over fork would be shared with the parent, so a child that
    finds its parent's engine drops it without closing and makes its own.
    """

    def __init__(self, url: str, *, timing: Timing = TIMING) -> None:
        given = make_url(url)
        self._url = given.difference_update_query(["pooling"])
        self._pooled = "pooling" in given.query
        self._timing = timing
        self._engine: Engine | None = None
        self._owner = 0

    @property
    def url(self) -> URL:
        """Where the database is; its password is not in the text of it."""
        return self._url

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._url.get_backend_name()

    @property
    def pooled(self) -> bool:
        """Whether a connection is ours for a transaction only."""
        return self._pooled

    @property
    def engine(self) -> Engine:
        """The engine of this process."""
        if self._engine is not None and self._owner != os.getpid():
            self._engine.dispose(close=False)
            self._engine = None
        if self._engine is None:
            self._engine = self._make_engine()
            self._owner = os.getpid()
        return self._engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed at the end of the block, rolled back by an exception."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only reads: on SQLite it does not wait for writers."""
        with self.engine.connect().execution_options(wif_reads=True) as connection:
            yield connection

    @contextmanager
    def autocommit_read(self) -> Iterator[Connection]:
        """For single statements that only read: none waits for another to begin or to end it."""
        if self.dialect == "sqlite":
            with self.read() as connection:
                yield connection
            return
        with self._alone() as connection:
            yield connection

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        """Each statement is a transaction by itself; not for SQLite."""
        committing = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with committing as connection:
            yield connection

    def run(
        self, work: Callable[[Connection], T], *, patience: float = 0.0, alone: bool = False
    ) -> T:
        """`work` in one transaction, again on a fresh connection when the first was cut.

        Args:
            work: has no effect outside the transaction, and the same one when it is done
                twice: a commit whose answer was cut off may have taken place.
            patience: seconds for which a server that is away is waited for.
            alone: on PostgreSQL `work` is a single statement, which needs no transaction
                around it: two round trips less.
        """
        give_up_at = time.monotonic() + patience
        for tries in itertools.count():
            try:
                one = alone and self.dialect != "sqlite"
                with self._alone() if one else self.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                if not self._is_away(error) or (tries and time.monotonic() >= give_up_at):
                    raise
            if tries:
                time.sleep(RETRY_PAUSE_SECONDS)
        raise AssertionError

    def close(self) -> None:
        """Give back every connection."""
        if self._engine is not None and self._owner == os.getpid():
            self._engine.dispose()
        self._engine = None

    def _is_away(self, error: DBAPIError) -> bool:
        """Whether the connection was cut, or the server made none."""
        refused = isinstance(error, OperationalError) and error.statement is None
        return error.connection_invalidated or (refused and self.dialect != "sqlite")

    def _make_engine(self) -> Engine:
        if self.dialect == "sqlite":
            return self._make_sqlite()
        engine = create_engine(
            self._url,
            pool_size=POOL_SIZE,
            max_overflow=2,
            pool_recycle=1800,
            hide_parameters=True,
            connect_args={
                "connect_timeout": 5,
                # The kernel notices a server that vanished without closing the connection.
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "tcp_user_timeout": 60_000,
                "application_name": "wif",
                **(POOLED_OPTIONS if self._pooled else {"options": SESSION_OPTIONS}),
            },
        )
        if self._pooled:
            event.listen(engine, "connect", _prepare_pooled)
        event.listen(engine, "do_connect", partial(_connect, self._timing.answer))
        event.listen(engine, "checkin", _rest)
        event.listen(engine, "checkout", partial(_wake, engine.dialect, self._timing.rest))
        return engine

    def _make_sqlite(self) -> Engine:
        if self._url.database and self._url.database != ":memory:":
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            self._url,
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={"timeout": self._timing.busy},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine


def _connect(
    seconds: float,
    _dialect: object,
    _record: object,
    arguments: Any,  # noqa: ANN401
    options: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    # Where there is no PostgreSQL its driver takes time to import and may be missing.
    from store.bounded_connection import BoundedConnection  # noqa: PLC0415

    made = BoundedConnection.connect(*arguments, **options)
    made.answer_seconds = seconds
    return made


def _rest(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["rests_since"] = time.monotonic()


def _wake(
    dialect: Dialect,
    seconds: float,
    connection: DBAPIConnection,
    record: ConnectionPoolEntry,
    _proxy: object,
) -> None:
    """Ask a connection that rested whether it still lives; the pool makes another if not."""
    rests_since = record.info.get("rests_since", math.inf)
    if time.monotonic() - rests_since < seconds:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error


def _prepare_pooled(connection: Any, record: object) -> None:  # noqa: ANN401, ARG001
    # The one setting of a session that PgBouncer carries from connection to connection. Time-outs
    # are those of the role, which `wif doctor` asks for.
    connection.execute("SET TIME ZONE 'UTC'")
    connection.commit()


def _prepare_sqlite(connection: Any, record: object) -> None:  # noqa: ANN401, ARG001
    # The driver's own BEGIN comes too late and is deferred: 699 of 800 concurrent
    # read-modify-writes were lost that way, none with WAL and BEGIN IMMEDIATE.
    connection.isolation_level = None
    # Not synchronous=NORMAL: a power cut would make it forget a committed "sent".
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    reads = connection.get_execution_options().get("wif_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
