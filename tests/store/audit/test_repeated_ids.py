"""A line that has the id of another: no page of a reader may end between the two."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from store.audit.check import verify
from store.audit.export import Period, export
from store.audit.export_check import verify_file
from store.audit.lines import PAGE, has_odd_ids, lines_of, repeated
from store.audit.seal_keys import SigningKey
from store.engine import Database
from tests.store.audit.samples import LOG, START, lines, seal, tampering

LINES = PAGE + 200


@pytest.fixture
def database(database: Database, key: SigningKey) -> Database:
    """More lines than a page holds, all sealed, in a table whose ids need not differ."""
    with database.begin() as connection:
        LOG.append(connection, START, lines(LINES))
    seal(database, key)
    return database


def without_key(connection: Connection) -> None:
    """Let ids be given twice, as in a partitioned table (`wif db partition`) or a remade one."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE audit_lines DROP CONSTRAINT pk_audit_lines"))
        return
    connection.execute(text("CREATE TABLE remade AS SELECT * FROM audit_lines"))
    connection.execute(text("DROP TABLE audit_lines"))
    connection.execute(text("ALTER TABLE remade RENAME TO audit_lines"))


FORGED = """
    INSERT INTO audit_lines (id, at, step, procedure, dossier_ref, key_id, event, unit)
    SELECT id, at, 'reassigned', 13760, (SELECT max(dossier_ref) FROM audit_lines), 'k', 'filed',
           'UD666'
    FROM audit_lines WHERE id = :id
"""


def forge(database: Database, line: int) -> None:
    with tampering(database) as connection:
        without_key(connection)
        connection.execute(text(FORGED), {"id": line})


@pytest.mark.parametrize("line", [1, PAGE - 1, PAGE, PAGE + 1, LINES])
def test_it_is_found_wherever_a_page_ends(
    database: Database, key: SigningKey, tmp_path: Path, line: int
) -> None:
    assert verify(database, trusted=frozenset({key.public})).intact
    forge(database, line)

    result = verify(database, trusted=frozenset({key.public}))
    seal = (line - 1) // 1_000 + 1
    assert [str(each) for each in result.findings] == [f"seal {seal}: line-inserted {line}"]

    file = tmp_path / "export.jsonl"
    with file.open("wb") as out:
        export(database, out, period=Period(), now=START, key=key)
    assert not verify_file(file, trusted=frozenset({key.public})).intact


def test_a_trace_does_not_call_it_sealed(database: Database) -> None:
    forge(database, PAGE)
    with database.read() as connection:
        (ref,) = connection.scalars(
            text("SELECT dossier_ref FROM audit_lines WHERE unit = 'UD666'")
        )
        ids = [row[0] for row in lines_of(connection, [ref])]
        assert repeated(connection, ids) == {PAGE}


def test_an_id_that_is_no_number_is_found(database: Database, key: SigningKey) -> None:
    with database.read() as connection:
        assert not has_odd_ids(connection)
    if database.dialect == "postgresql":
        return  # its columns take nothing else
    with tampering(database) as connection:
        without_key(connection)
        connection.execute(
            text("INSERT INTO audit_lines (id, at, step) VALUES ('9x', '2026-01-05', 'seen')")
        )
    assert [str(each) for each in verify(database).findings] == [
        "line-inserted with an id that is no number"
    ]
