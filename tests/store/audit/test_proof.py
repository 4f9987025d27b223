"""A proof convinces somebody who has nothing but the documentation."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from store.audit.proof import NoProofError, prove
from store.audit.seal_keys import SigningKey, public_key_file
from store.engine import Database
from tests.store.audit.samples import START, seal, tampering, write

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "audit.md"
OF_THE_LINE, OF_THE_SEAL = re.findall(
    r"```python\n(.+?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL
)


@pytest.fixture
def database(database: Database, key: SigningKey) -> Database:
    write(database, 23)
    seal(database, key, batch=11)
    write(database, 1, at=START)
    return database


def record(database: Database, line: int) -> dict[str, object]:
    with database.read() as connection:
        made: dict[str, object] = json.loads(json.dumps(prove(connection, line).record()))
        return made


def run(code: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run code from the documentation in a Python that knows nothing of ours."""
    return subprocess.run(
        [sys.executable, "-I", "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


def test_the_code_in_the_documentation_accepts_every_line(
    database: Database, tmp_path: Path
) -> None:
    for line, number in ((1, 1), (6, 1), (11, 1), (12, 2), (23, 3)):
        path = tmp_path / "proof.json"
        path.write_text(json.dumps(record(database, line)), encoding="utf-8")
        outcome = run(OF_THE_LINE, path)
        assert outcome.stdout == f"line {line} stands under seal {number}\n", outcome.stderr


def test_the_code_in_the_documentation_accepts_the_seal(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(record(database, 14)), encoding="utf-8")
    outcome = run(OF_THE_SEAL, path, public_key_file(tmp_path / "seal.key"))
    assert outcome.stdout == "seal 2 is signed\n", outcome.stderr


@pytest.mark.parametrize("column", ["unit", "id", "dossier_ref"])
def test_the_code_in_the_documentation_refuses_another_line(
    database: Database, tmp_path: Path, column: str
) -> None:
    made = record(database, 14)
    assert isinstance(made["line"], dict)
    made["line"][column] = "UD093"
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(made), encoding="utf-8")
    outcome = run(OF_THE_LINE, path)
    assert outcome.returncode == 1
    assert "the line is not under this seal" in outcome.stderr


def test_the_code_in_the_documentation_refuses_another_seal(
    database: Database, tmp_path: Path
) -> None:
    made = record(database, 14)
    assert isinstance(made["seal"], dict)
    made["seal"]["size"] = 10
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(made), encoding="utf-8")
    outcome = run(OF_THE_SEAL, path, public_key_file(tmp_path / "seal.key"))
    assert outcome.returncode == 1
    assert "InvalidSignature" in outcome.stderr


@pytest.mark.parametrize(
    ("line", "why"),
    [(99, "there is none with this id"), (24, "no seal covers it yet"), (-1, "there is none")],
)
def test_what_cannot_be_proved_is_said(database: Database, line: int, why: str) -> None:
    with pytest.raises(NoProofError, match=f"line {line}: .*{why}"):
        record(database, line)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_lines SET unit = 'UD093' WHERE id = 14",
        "UPDATE audit_seals SET root = previous WHERE number = 2",
        "UPDATE audit_seals SET ids = '12-13,15-23' WHERE number = 2",
        "UPDATE audit_seals SET leaves = (SELECT leaves FROM audit_seals WHERE number = 1)"
        " WHERE number = 2",
    ],
)
def test_nothing_is_proved_of_what_was_changed(database: Database, statement: str) -> None:
    with tampering(database) as connection:
        connection.execute(text(statement))
    with pytest.raises(NoProofError, match="it is not what was sealed; run: wif audit verify"):
        record(database, 14)
