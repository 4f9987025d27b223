"""What came after the last release only adds to the schema: workers of both bear it.

Contracting is for a later release, once no worker of this one runs: CONTRIBUTING.md.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, inspect, text

from release.last_release import LastRelease
from store import schema
from store.engine import Database

Shape = dict[str, dict[str, Any]]


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    """A database as the last release made it."""
    made = Database(empty_database_url)
    schema.upgrade(made, LastRelease.read().schema)
    yield made
    made.close()


def columns(database: Database) -> Shape:
    """Each table with its columns."""
    with database.read() as connection:
        seen = inspect(connection)
        return {
            table: {column["name"]: column for column in seen.get_columns(table)}
            for table in seen.get_table_names()
        }


def keys(database: Database) -> dict[str, set[tuple[str, ...]]]:
    """What each table keeps unique, and which values it checks."""
    with database.read() as connection:
        seen = inspect(connection)
        return {
            table: {
                *(
                    tuple(sorted(each["column_names"]))
                    for each in seen.get_unique_constraints(table)
                ),
                *(
                    tuple(sorted(filter(None, each["column_names"])))
                    for each in seen.get_indexes(table)
                    if each["unique"]
                ),
                *(("CHECK", each["sqltext"]) for each in seen.get_check_constraints(table)),
                *(tuple(each["constrained_columns"]) for each in seen.get_foreign_keys(table)),
            }
            for table in seen.get_table_names()
        }


def tightened(before: Shape, after: Shape) -> Iterator[str]:
    """What the last release reads or writes and could not any more."""
    for table, known in before.items():
        if table not in after:
            yield f"{table} is gone"
            continue
        for name, column in known.items():
            now = after[table].get(name)
            if now is None:
                yield f"{table}.{name} is gone"
            elif str(now["type"]) != str(column["type"]):
                yield f"{table}.{name} was {column['type']} and is {now['type']}"
            elif column["nullable"] and not now["nullable"]:
                yield f"{table}.{name} must not be empty any more"
        for name in after[table].keys() - known.keys():
            new = after[table][name]
            if not new["nullable"] and new["default"] is None:
                yield f"{table}.{name} is new and has no default"


def test_the_schema_only_grows(database: Database) -> None:
    before, kept = columns(database), keys(database)
    schema.upgrade(database)
    assert list(tightened(before, columns(database))) == []
    now = keys(database)
    assert {table: now[table] - kept[table] for table in kept if now[table] - kept[table]} == {}


WRONG = (
    ("DROP TABLE hints", "hints is gone"),
    ("ALTER TABLE dossiers DROP COLUMN rule", "dossiers.rule is gone"),
    ("ALTER TABLE dossiers RENAME COLUMN rule TO by_rule", "dossiers.rule is gone"),
    ("ALTER TABLE dossiers ALTER COLUMN rule SET NOT NULL", "dossiers.rule must not be empty"),
    ("ALTER TABLE dossiers ALTER COLUMN rule TYPE varchar(8)", "dossiers.rule was VARCHAR(64)"),
)


@pytest.mark.parametrize(("statement", "said"), WRONG)
@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
def test_control_a_contraction_is_seen(database: Database, statement: str, said: str) -> None:
    before = columns(database)
    with database.begin() as connection:
        connection.execute(text(statement))
    (found,) = tightened(before, columns(database))
    assert found.startswith(said)


def test_control_a_new_column_that_must_be_filled_is_seen() -> None:
    table = Table("t", MetaData(), Column("id", Integer), Column("new", Integer, nullable=False))
    shape = {
        name: {"nullable": each.nullable, "default": None, "type": each.type}
        for name, each in table.columns.items()
    }
    assert list(tightened({"t": {"id": shape["id"]}}, {"t": shape})) == [
        "t.new is new and has no default"
    ]
