"""`INSERT` that leaves existing rows alone, in the words of each engine."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from store.base import Base, table_of


def insert_new(connection: Connection, model: type[Base]) -> Any:  # noqa: ANN401
    """An insert into the table of `model` that skips rows whose key is taken."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table_of(model)).on_conflict_do_nothing()
