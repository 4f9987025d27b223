"""Seals in a file elsewhere: extended run by run, refused when they contradict the database."""

import io
import json
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from store.audit.seal_file import SealFileError, extend_seals, load_seals, write_seals
from store.audit.seal_keys import SigningKey
from store.audit.seals import read_seals
from store.engine import Database
from store.models import AuditLine
from tests.store.audit.samples import START, seal, tampering, write


@pytest.fixture
def database(database: Database, key: SigningKey) -> Database:
    write(database, 30)
    seal(database, key, batch=10)
    return database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "seals.jsonl"


def test_a_file_holds_the_seals_without_leaf_hashes(database: Database, path: Path) -> None:
    assert extend_seals(database, path) == 3
    assert list(load_seals(path)) == list(read_seals(database))
    assert all(one.is_signed for one in load_seals(path))


def test_a_file_is_extended_by_what_it_lacks(
    database: Database, key: SigningKey, path: Path
) -> None:
    extend_seals(database, path)
    assert extend_seals(database, path) == 0
    write(database, 25)
    seal(database, key, batch=10)
    assert extend_seals(database, path) == 3
    assert [one.number for one in load_seals(path)] == [1, 2, 3, 4, 5, 6]


def test_a_line_that_a_killed_writer_left_unfinished_is_written_anew(
    database: Database, path: Path
) -> None:
    extend_seals(database, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        extend_seals(database, path)
        assert path.read_bytes() == whole


def test_seals_longer_than_a_block_are_continued(
    database: Database, key: SigningKey, path: Path
) -> None:
    with database.begin() as connection:
        apart = [{"id": line, "at": START, "step": "seen"} for line in range(101, 3_000, 2)]
        connection.execute(insert(AuditLine), apart)
    seal(database, key, batch=10_000)
    extend_seals(database, path)
    assert max(map(len, path.read_bytes().splitlines())) > 5_000
    assert extend_seals(database, path) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_seals WHERE number = 3",
        "UPDATE audit_seals SET size = 9 WHERE number = 3",
    ],
)
def test_a_file_that_contradicts_the_database_is_not_extended(
    database: Database, path: Path, statement: str
) -> None:
    extend_seals(database, path)
    before = path.read_bytes()
    with tampering(database) as connection:
        connection.execute(text(statement))
    with pytest.raises(SealFileError, match="seal 3 is not the database's; run: wif audit verify"):
        extend_seals(database, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        {"size": "10"},
        {"root": 5},
        {"type": "line"},
        {"more": 1},
        {"number": None},
    ],
)
def test_a_line_that_is_no_seal_is_refused(
    database: Database, path: Path, change: dict[str, object]
) -> None:
    extend_seals(database, path)
    first, second, third = path.read_text().splitlines()
    path.write_text("\n".join([first, json.dumps(json.loads(second) | change), third]) + "\n")
    with pytest.raises(SealFileError, match="line 2: is not an exported seal"):
        list(load_seals(path))


@pytest.mark.parametrize("content", ["x\n", "[]\n", "5\n", "\n", '["type"]\n'])
def test_a_file_of_another_kind_is_refused(database: Database, path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(SealFileError, match="is not an exported seal"):
        extend_seals(database, path)


def test_a_file_that_cannot_be_used_is_said(database: Database, tmp_path: Path) -> None:
    with pytest.raises(SealFileError, match="cannot be read"):
        list(load_seals(tmp_path / "none"))
    (tmp_path / "file").write_text("")
    with pytest.raises(SealFileError, match="cannot be written"):
        extend_seals(database, tmp_path / "file" / "seals.jsonl")


def test_seals_can_be_written_into_any_stream(database: Database) -> None:
    out = io.BytesIO()
    assert write_seals(database, out, after=1) == 2
    assert [json.loads(line)["number"] for line in out.getvalue().splitlines()] == [2, 3]
