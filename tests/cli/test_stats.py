"""`wif stats`: counts, publishes and writes the page as one file."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import read
from service.runtime import Runtime
from tests.fixtures import shipped_rules
from tests.fixtures.bulk_dossiers import BulkDossiers, store_bulk
from tests.fixtures.processes import wif


@pytest.fixture
def settings(tmp_path: Path, migrated_sqlite: Path) -> dict[str, str]:
    """Settings of a service with dossiers of some months ago, by the clock of the machine."""
    url = f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'wif.sqlite3')}"
    runtime = Runtime(read(var_dir=tmp_path, database_url=url))
    shipped_rules.publish(runtime)
    until = datetime.now(UTC) - timedelta(days=50)
    store_bulk(
        runtime, BulkDossiers(count=90, since=until - timedelta(days=20), until=until, places=3)
    )
    runtime.close()
    return {"WIF_DATABASE_URL": url, "WIF_VAR_DIR": str(tmp_path)}


def test_it_publishes_once_and_writes_a_page_that_loads_nothing(
    settings: dict[str, str], tmp_path: Path
) -> None:
    page = tmp_path / "stats.html"
    first = wif("stats", "--json", "--html", str(page), **settings)
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert told["published"]
    text = page.read_text(encoding="utf-8")
    assert len(text.encode()) < 300_000
    assert text.count("<link") == text.count('<link rel="icon" href="data:,">') == 1
    assert "src=" not in text
    assert "sha256-" in text
    again = json.loads(wif("stats", "--json", **settings).stdout)
    assert (again["published"], again["months"]) == ([], told["months"])


def test_a_month_that_is_not_public_is_refused(settings: dict[str, str]) -> None:
    ran = wif("stats", "--month", "1999-01", **settings)
    assert ran.returncode == 2
    assert "--month" in ran.stderr
