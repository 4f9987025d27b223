"""Brings a database to the newest schema, and says whether it is there."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError

from store.engine import Database

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "0019"
"""The last migration. Alembic is imported only to migrate: to ask takes one query."""

MIGRATION_LOCK = 0x57494620
"""Key of the PostgreSQL advisory lock under which one process at a time migrates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How a change of the schema waits for tables that others use.

    Attributes:
        seconds: for which it waits for a table: queries that come after it wait as well.
        tries: after which it gives up.
        pause: seconds between two tries.
    """

    seconds: float = 5
    tries: int = 20
    pause: float = 1


PATIENCE = Patience()

Progress = Callable[[str], None]
"""Told of each step in a sentence."""


class SchemaError(Exception):
    """The schema cannot be brought to what this program knows. Its text says what to do."""


def upgrade(
    database: Database,
    revision: str = "head",
    *,
    progress: Progress = lambda _: None,
    patience: Patience = PATIENCE,
) -> None:
    """Run the migrations that `database` does not have yet; several processes may do so at once.

    All are one transaction, so that a failure leaves the schema as it was. The service may go on
    meanwhile: a migration that finds a table in use lets go of everything and begins anew.

    Args:
        database: which is changed.
        revision: the last migration to run.
        progress: told of each migration, and of waiting for others.
        patience: with tables that others use.

    Raises:
        SchemaError: the database was migrated by a later program.
        DBAPIError: the database cannot be used, or a table is in use all the time.
    """
    _refuse_to_go_down(database)
    for left in reversed(range(patience.tries)):
        try:
            _migrate(database, revision, progress, patience)
        except OperationalError as error:
            if not left or getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            progress("a table is in use; once more in a second")
            time.sleep(patience.pause)
        else:
            return


LOCK_NOT_AVAILABLE = "55P03"


def _migrate(database: Database, revision: str, progress: Progress, patience: Patience) -> None:
    from alembic import command  # noqa: PLC0415

    with database.begin() as connection:
        # SQLite has one writer, and this transaction is it from its first word.
        if database.dialect == "postgresql":
            _lock(connection, progress, patience)
        command.upgrade(_config(connection, progress), revision)


def _lock(connection: Connection, progress: Progress, patience: Patience) -> None:
    """Let one process at a time migrate, without waiting for tables for long."""
    key = {"key": MIGRATION_LOCK}
    if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), key):
        progress("another process migrates the database: waiting for its end")
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), key)
    connection.execute(text(f"SET LOCAL lock_timeout = '{patience.seconds}s'"))


def _refuse_to_go_down(database: Database) -> None:
    found = revision(database)
    if found is not None and found > NEWEST:
        raise SchemaError(
            f"the database has the schema {found}, and this program knows up to {NEWEST}: it was "
            "migrated by a later version. There is no way down: run that version, or restore the "
            "backup that was made before the upgrade (wif restore)"
        )


def is_current(database: Database) -> bool:
    """Whether `database` has every migration that this program needs.

    One that a later version has migrated has them, too: it bears its neighbours.
    """
    found = revision(database)
    return found is not None and found >= NEWEST


def revision(database: Database) -> str | None:
    """The last migration that `database` has; None where none was ever run."""
    with database.read() as connection:
        return _revision(connection)


def is_empty(database: Database) -> bool:
    """Whether no migration was ever run on `database`."""
    with database.read() as connection:
        return _revision(connection) is None


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _config(connection: Connection, progress: Progress = lambda _: None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["progress"] = progress
    return config
