"""Fixtures of several modules: restored databases, and units with groups in TPS."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import Server
from tests.fixtures.harness import PARIS_FORM, Harness, make_harness
from tests.fixtures.postgres import PACKAGE, Databases
from tests.service.grouped_offices import LABELS, Offices
from tests.service.restored import reconfigure


@pytest.fixture
def postgres_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pg_dump` of the server's own version."""
    newest = max(PACKAGE.glob("pginstall*"), key=lambda folder: folder.name)
    monkeypatch.setenv("PATH", f"{newest / 'bin'}:/usr/bin:/bin")


@pytest.fixture
def sent_log(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "sent.jsonl"


@pytest.fixture
def keeps_sent_log(harness: Harness, sent_log: Path) -> None:
    """The service of the harness keeps a log of what it sent."""
    reconfigure(harness, sent_log=sent_log)


@pytest.fixture
def new_database(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database to restore into."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'wif.sqlite3'}"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture
def offices(database_url: str, tps: Server, tmp_path: Path) -> Iterator[Offices]:
    harness = make_harness(
        database_url, tps, tmp_path, tps_api="v2", tps_write_back=True, tps_read_timeout=2
    )
    add = tps.simulator.add_group
    made = Offices(harness, {code: add(PARIS_FORM, label) for code, label in LABELS.items()})
    made.publish(LABELS)
    yield made
    harness.runtime.close()
