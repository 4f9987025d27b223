"""The migrations: the same schema on both engines, and tables that only grow."""

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from store import rulesets, schema
from store.audit.log import AuditEntry, AuditLog, Step
from store.engine import Database
from store.models import AuditLine, Base
from tests.stage import START


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
