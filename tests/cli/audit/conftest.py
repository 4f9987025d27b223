"""Audit commands in this process, on a database with lines and seals."""

import base64
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import main
from config import settings
from store.engine import Database
from tests.cli.audit.commands import Outcome, Wif
from tests.fixtures.json_documents import check_json
from tests.fixtures.processes import umask_restored
from tests.store.audit.samples import SECRET, write


@pytest.fixture
def wif(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Wif]:
    """Runs the command in a folder of its own, on a database of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WIF_DATABASE_URL", database_url)
    monkeypatch.setenv("WIF_AUDIT_KEY", base64.b64encode(SECRET).decode())

    def run(*arguments: object) -> Outcome:
        settings.load.cache_clear()
        monkeypatch.setattr(sys, "argv", ["wif", *map(str, arguments)])
        capfd.readouterr()
        with umask_restored(), pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        if "--json" in arguments and said.out:
            check_json([str(each) for each in arguments], said.out)
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    yield run
    settings.load.cache_clear()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def sealed(wif: Wif, database: Database) -> Database:
    """Thirty lines under a seal."""
    write(database, 30)
    assert wif("audit", "seal").out == "30 lines sealed under 1 seal\n"
    return database
