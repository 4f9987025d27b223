"""Brings a database to the newest schema, and says whether it is there."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from store.engine import Database

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "0015"
"""The last migration. Alembic is imported only to migrate: to ask takes one query."""

MIGRATION_LOCK = 0x57494620
"""Key of the PostgreSQL advisory lock under which one process at a time migrates."""


def upgrade(database: Database, revision: str = "head") -> None:
    """Run the migrations that `database` does not have yet; several processes may do so at once.

    Args:
        database: which is changed.
        revision: the last migration to run.
    """
    from alembic import command  # noqa: PLC0415

    with database.begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        command.upgrade(_config(connection), revision)


def is_current(database: Database) -> bool:
    """Whether `database` has every migration."""
    with database.read() as connection:
        return _revision(connection) == NEWEST


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


def _config(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
