"""The migrations: the same schema on both engines, and tables that only grow."""

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from store import rulesets, schema
from store.audit.log import AuditEntry, AuditLog, Step
from store.base import Base
from store.engine import Database
from store.models import AuditLine
from tests.fixtures.harness import START


def test_the_migrations_make_exactly_what_the_models_say(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    assert schema.is_empty(database)
    schema.upgrade(database)
    with database.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert schema.is_current(database)
    database.close()


def test_several_processes_may_migrate_at_once(empty_database_url: str) -> None:
    failures: list[Exception] = []

    def migrate() -> None:
        database = Database(empty_database_url)
        try:
            schema.upgrade(database)
        except DBAPIError as error:
            failures.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_each_migration_is_told(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    told: list[str] = []
    schema.upgrade(database, progress=told.append)
    assert [line.split()[0] for line in told] == [f"{n:04}" for n in range(1, len(told) + 1)]
    assert told[-1].startswith(schema.NEWEST)
    schema.upgrade(database, progress=told.append)
    assert len(told) == int(schema.NEWEST)
    database.close()


def test_there_is_no_way_down_and_what_to_do_is_said(database_url: str) -> None:
    database = Database(database_url)
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(schema.SchemaError, match="There is no way down: run that version, or"):
        schema.upgrade(database)
    # A later version bears this one: nothing else is refused.
    assert schema.is_current(database)
    database.close()


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
def test_who_comes_second_is_told_that_another_migrates(empty_database_url: str) -> None:
    first, second = Database(empty_database_url), Database(empty_database_url)
    told: list[str] = []
    waiting = threading.Event()

    def tell(line: str) -> None:
        told.append(line)
        waiting.set()

    with first.begin() as connection:
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:key)"), {"key": schema.MIGRATION_LOCK}
        )
        thread = threading.Thread(target=schema.upgrade, args=(second,), kwargs={"progress": tell})
        thread.start()
        assert waiting.wait(30)
    thread.join()
    assert told[0].startswith("another process migrates")
    assert schema.is_current(first)
    first.close()
    second.close()


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
def test_a_table_in_use_makes_a_migration_begin_anew(empty_database_url: str) -> None:
    soon = schema.Patience(seconds=0.05, tries=2, pause=0)
    database, other = Database(empty_database_url), Database(empty_database_url)
    schema.upgrade(database, "0005")
    told: list[str] = []
    with other.begin() as connection:
        connection.execute(text("LOCK TABLE incidents IN SHARE MODE"))
        with pytest.raises(DBAPIError):
            schema.upgrade(database, progress=told.append, patience=soon)
    assert "a table is in use; once more in a second" in told
    schema.upgrade(database)
    assert schema.is_current(database)
    database.close()
    other.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_lines SET unit = 'UD093'",
        "DELETE FROM audit_lines",
        "UPDATE rule_sets SET document = ''",
        "DELETE FROM rule_set_activations",
    ],
)
def test_what_happened_cannot_be_changed(database_url: str, statement: str) -> None:
    database = Database(database_url)
    log = AuditLog([b"k" * 32])
    with database.begin() as connection:
        log.append(connection, START, [AuditEntry(step=Step.SEEN, procedure=1, number=2)])
        rulesets.store_document(connection, digest="0" * 64, document="{}", at=START)
        rulesets.activate(connection, digest="0" * 64, at=START, action="publish")
    with pytest.raises(DBAPIError, match="append-only"), database.begin() as connection:
        connection.execute(text(statement))
    database.close()


def test_a_line_cannot_be_replaced_in_sqlite_either(database_url: str) -> None:
    database = Database(database_url)
    if database.dialect != "sqlite":
        with pytest.raises(DBAPIError), database.begin() as connection:
            connection.execute(text("TRUNCATE audit_lines"))
        database.close()
        return
    with database.begin() as connection:
        AuditLog([b"k" * 32]).append(connection, START, [AuditEntry(step=Step.SEEN)])
    with pytest.raises(DBAPIError, match="append-only"), database.begin() as connection:
        connection.execute(
            text("INSERT OR REPLACE INTO audit_lines (id, at, step) VALUES (1, :at, 'sent')"),
            {"at": "2026-01-01 00:00:00"},
        )
    database.close()


def test_a_dossier_is_named_by_a_hash_that_needs_the_key(database_url: str) -> None:
    database = Database(database_url)
    log, stranger = AuditLog([b"k" * 32]), AuditLog([b"s" * 32])
    with database.begin() as connection:
        log.append(connection, START, [AuditEntry(step=Step.SEEN, procedure=13760, number=42)])
        (ref,) = connection.execute(select(AuditLine.dossier_ref)).one()
    assert ref == log.refs(13760, 42)[0]
    assert ref not in stranger.refs(13760, 42)
    assert "42" not in repr(log.keys)
    database.close()
