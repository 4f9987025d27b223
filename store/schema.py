"""Brings a database to the newest schema, and says whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from store.engine import Database

MIGRATION_LOCK = 0x57494620
"""Key of the PostgreSQL advisory lock under which one process at a time migrates."""


def upgrade(database: Database) -> None:
    """Run the migrations that `database` does not have yet; several processes may do so at once."""
    with database.begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        command.upgrade(_config(connection), "head")


def is_current(database: Database) -> bool:
    """Whether `database` has every migration."""
    with database.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        return found == ScriptDirectory.from_config(_config(connection)).get_current_head()


def is_empty(database: Database) -> bool:
    """Whether no migration was ever run on `database`."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision() is None


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
