"""An exported period can be read by anybody and checked offline, down to the last byte."""

import io
import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import text

from store.audit.check import Verification
from store.audit.export import SCHEMA, ExportReport, Period, export
from store.audit.export_check import ExportFileError, verify_file
from store.audit.lines import COLUMNS
from store.audit.seal_keys import SigningKey, load_or_create_signing_key
from store.audit.seals import read_seals
from store.engine import Database
from tests.store.audit.samples import START, seal, tampering, write

SCHEMA_DOCUMENT = json.loads(SCHEMA.read_text(encoding="utf-8"))
SCHEMA_OF_A_LINE = Draft202012Validator(SCHEMA_DOCUMENT)
SECOND = timedelta(seconds=1)


@pytest.fixture
def database(database: Database, key: SigningKey) -> Database:
    """90 lines, ten a second, under nine seals of twelve and less; then ten without a seal."""
    write(database, 90)
    seal(database, key, batch=12)
    write(database, 10, at=START + 9 * SECOND)
    return database


def exported(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    key: SigningKey | None = None,
) -> tuple[bytes, ExportReport]:
    out = io.BytesIO()
    period = Period(since=since, until=until)
    report = export(database, out, period=period, now=START + timedelta(days=1), key=key)
    return out.getvalue(), report


def records(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def checked(tmp_path: Path, content: bytes, key: SigningKey) -> Verification:
    path = tmp_path / "export.jsonl"
    path.write_bytes(content)
    return verify_file(path, trusted=frozenset({key.public}))


def found(tmp_path: Path, content: bytes, key: SigningKey) -> list[str]:
    return [str(one) for one in checked(tmp_path, content, key).findings]


def written(lines: list[dict[str, Any]]) -> bytes:
    compact = (json.dumps(one, separators=(",", ":"), ensure_ascii=False) for one in lines)
    return "".join(f"{one}\n" for one in compact).encode()


def test_a_whole_log_is_exported_and_intact(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    content, report = exported(database, key=key)
    assert (report.lines, report.unsealed, report.withheld, report.seals) == (90, 10, 0, 8)
    result = checked(tmp_path, content, key)
    assert result.intact
    assert (result.lines, result.seals, result.tail.size, result.signed) == (90, 8, 10, True)


def test_every_line_is_as_the_schema_says(database: Database, key: SigningKey) -> None:
    for signer in (key, None):
        content, _ = exported(database, since=START + SECOND, until=START + 8 * SECOND, key=signer)
        for record in records(content):
            SCHEMA_OF_A_LINE.validate(record)
    properties = SCHEMA_DOCUMENT["$defs"]["line"]["properties"]
    assert list(properties) == ["type", *COLUMNS]


def test_a_period_shows_its_own_lines_and_no_other(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    since, until = START + 2 * SECOND, START + 5 * SECOND
    content, report = exported(database, since=since, until=until, key=key)
    shown = [record for record in records(content) if record["type"] in {"line", "unsealed"}]
    assert [record["id"] for record in shown] == list(range(21, 51))
    assert (report.lines, report.withheld, report.seals) == (30, 18, 4)
    seals = [record for record in records(content) if record["type"] == "seal"]
    assert [record["withheld"] for record in seals] == ["13-20", "", "", "51-60"]
    result = checked(tmp_path, content, key)
    assert result.intact
    assert (result.lines, result.withheld) == (30, 18)


def test_the_border_of_a_period_is_exact(database: Database) -> None:
    at = START + 3 * SECOND + timedelta(microseconds=30)
    for since, until, first, last in (
        (at, None, 31, 100),
        (at + timedelta(microseconds=1), None, 41, 100),
        (None, at, 1, 30),
        (None, at + timedelta(microseconds=1), 1, 40),
    ):
        content, _ = exported(database, since=since, until=until)
        ids = [record["id"] for record in records(content) if "step" in record]
        assert (ids[0], ids[-1]) == (first, last)


def test_a_period_without_lines_gives_a_file_without_lines(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    content, report = exported(database, since=START + timedelta(days=9), key=key)
    assert report == ExportReport()
    assert len(records(content)) == 2
    assert found(tmp_path, content, key) == []


def test_a_file_that_nobody_signed_is_checked_by_its_seals(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    result = checked(tmp_path, exported(database)[0], key)
    assert result.intact
    assert result.signed is False


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE audit_lines SET unit = 'UD093' WHERE id = 14", "seal 2: line-edited 14"),
        ("DELETE FROM audit_lines WHERE id = 14", "seal 2: line-deleted 14"),
        ("UPDATE audit_lines SET id = -1 WHERE id = 90", "seal 1: line-inserted -1"),
        ("UPDATE audit_seals SET size = 9 WHERE number = 2", "seal 2: seal-edited"),
        ("DELETE FROM audit_seals WHERE number = 4", "seal 4: seal-missing"),
    ],
)
def test_what_was_changed_in_the_database_shows_in_its_export(
    database: Database, key: SigningKey, tmp_path: Path, statement: str, expected: str
) -> None:
    with tampering(database) as connection:
        connection.execute(text(statement))
    assert expected in found(tmp_path, exported(database, key=key)[0], key)


def test_odd_values_that_sqlite_lets_in_are_exported_as_they_were_sealed(
    tmp_path: Path, migrated_sqlite: Path, key: SigningKey
) -> None:
    path = tmp_path / "odd.sqlite3"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{path}")
    with database.begin() as connection:
        for value in ("x'ff'", "CAST(x'ff' AS TEXT)", "0.5", "9e999"):
            connection.exec_driver_sql(
                "INSERT INTO audit_lines (at, step, reason) "  # noqa: S608
                f"VALUES ('2026-01-05 08:00:00.000000', 'seen', {value})"
            )
    seal(database, key)
    content, _ = exported(database, key=key)
    assert [record["reason"] for record in records(content) if "step" in record] == [
        {"blob": "ff"},
        {"text": "edb3bf"},
        "0.5",
        "Inf",
    ]
    assert found(tmp_path, content, key) == []
    database.close()


def _edit(lines: list[dict[str, Any]], kind: str, **changes: object) -> list[dict[str, Any]]:
    place = next(place for place, one in enumerate(lines) if one["type"] == kind)
    return [*lines[:place], lines[place] | changes, *lines[place + 1 :]]


def test_an_edited_file_is_named_line_by_line(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    lines = records(exported(database, since=START + SECOND, key=key)[0])
    assert found(tmp_path, written(lines), key) == []
    edited, unread = "file-edited", ["file-unreadable line 2", "seal 1: line-deleted 11"]
    cases = {
        "line": (_edit(lines, "line", unit="UD093"), ["seal 1: line-edited 11"]),
        "value": (_edit(lines, "line", attempt=True), ["seal 1: line-edited 11"]),
        "unsealed": (_edit(lines, "unsealed", unit="UD093"), []),
        "seal": (_edit(lines, "seal", size=5), ["seal 1: seal-edited"]),
        "header": (_edit(lines, "header", since=None), []),
        "end": (_edit(lines, "end", withheld=0), []),
        "extra": (_edit(lines, "line", name="x"), unread),
        "ids": (_edit(lines, "line", id="11"), unread),
        "kind": (_edit(lines, "line", type="x"), unread),
        "odd kind": (_edit(lines, "line", type=[]), unread),
        "relabelled": (_edit(lines, "line", type="unsealed"), ["seal 1: line-deleted 11"]),
        "leaves": (
            _edit(lines, "seal", leaves=""),
            ["seal 1: seal-leaf-hashes-edited", "seal 1: lines-altered 1-12"],
        ),
        "shown": (_edit(lines, "seal", withheld=""), ["seal 1: line-deleted 1-10"]),
        "both": (_edit(lines, "seal", withheld="1-11"), ["seal 1: file-edited"]),
        "elsewhere": (_edit(lines, "seal", withheld="1-10,90"), ["seal 1: file-edited"]),
        "swapped": ([lines[0], lines[2], lines[1], *lines[3:]], ["seal 1: lines-reordered"]),
        "doubled": ([*lines[:2], *lines[1:]], ["seal 1: lines-reordered"]),
        "dropped": ([lines[0], *lines[2:]], ["seal 1: line-deleted 11"]),
    }
    for what, (changed, expected) in cases.items():
        assert found(tmp_path, written(changed), key) == [*expected, edited], what


def test_the_end_of_a_file_is_where_it_says(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    lines = records(exported(database, key=key)[0])
    assert found(tmp_path, written(lines[:-1]), key) == ["file-truncated"]
    longer = written([*lines, lines[-1]])
    assert found(tmp_path, longer, key) == [f"file-edited after its end, line {len(lines) + 1}"]


def test_seals_dropped_from_a_file_are_named(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    lines = records(exported(database, key=key)[0])
    place = [at for at, one in enumerate(lines) if one["type"] == "seal"]
    without = [*lines[: place[2] - 12], *lines[place[2] + 1 :]]
    assert found(tmp_path, written(without), key) == ["seal 3: seal-missing", "file-edited"]
    only_the_seal = [*lines[: place[-1]], *lines[place[-1] + 1 :]]
    assert found(tmp_path, written(only_the_seal), key) == ["line-inserted 85", "file-edited"]


def test_no_byte_of_a_signed_file_can_be_changed(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    content, _ = exported(database, since=START + 4 * SECOND, until=START + 6 * SECOND, key=key)
    chance = random.Random(5)
    for place in range(0, len(content), 41):
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        try:
            assert found(tmp_path, bytes(changed), key), place
        except ExportFileError:
            assert place < content.index(b"\n") + 1
    for end in range(content.index(b"\n") + 1, len(content), 173):
        assert found(tmp_path, content[:end], key)


def test_a_file_signed_by_a_stranger_is_edited(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    stranger = load_or_create_signing_key(tmp_path / "stranger.key")
    content, _ = exported(database, key=stranger)
    assert found(tmp_path, content, key) == ["file-edited"]


def test_a_file_is_held_against_seals_kept_elsewhere(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    path = tmp_path / "export.jsonl"
    path.write_bytes(exported(database, since=START + 5 * SECOND)[0])
    kept = {one.number: one.hash for one in read_seals(database)}
    assert verify_file(path, exported=kept).intact
    other = {**kept, 6: "0" * 64}
    findings = verify_file(path, exported=other).findings
    assert [str(one) for one in findings] == ["seal 6: seal-differs-from-exported"]


def test_a_check_stops_when_the_question_is_answered(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    lines = records(exported(database)[0])
    garbage = b"".join(b"x\n" for _ in range(50))
    assert checked(tmp_path, written(lines[:1]) + garbage, key).stopped


@pytest.mark.parametrize("content", [b"", b"%PDF", b"{}\n", b"[]\n", b'{"title": "x"}'])
def test_what_is_no_export_is_refused(tmp_path: Path, key: SigningKey, content: bytes) -> None:
    with pytest.raises(ExportFileError, match="does not begin as a version 1 audit export does"):
        checked(tmp_path, content, key)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ExportFileError, match="cannot be read"):
        verify_file(tmp_path / "none")
