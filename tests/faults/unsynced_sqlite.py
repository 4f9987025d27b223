"""SQLite that does not wait for its disk."""

from typing import Any

from sqlalchemy import event

from store.engine import Database


def without_fsync(database: Database) -> None:
    """Let SQLite not wait for the disk: a killed process loses nothing that it wrote."""
    if database.dialect == "sqlite":
        event.listen(database.engine, "connect", _without_waiting)


def _without_waiting(connection: Any, record: object) -> None:  # noqa: ANN401
    connection.execute("PRAGMA synchronous=OFF")
