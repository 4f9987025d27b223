"""`wif stats`: counts, publishes and writes the page as one file."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.processes import wif
from tests.stage import PARIS_FORM, Stage

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
def settings(stage: Stage, tmp_path: Path) -> dict[str, str]:
    # The command goes by the clock of the machine.
    now = datetime.now(UTC)
    stage.now = now
    until = now - timedelta(days=50)
    stage.tps.populate([stage.form(PARIS_FORM)], 60, until=until, every=timedelta(minutes=1))
    stage.run()
    return {
        "WIF_DATABASE_URL": stage.runtime.settings.database,
        "WIF_VAR_DIR": str(tmp_path / "var"),
        "WIF_TPS_PROCEDURES": stage.runtime.settings.tps_procedures,
    }


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
    assert "<link" not in text
    assert "src=" not in text
    assert "sha256-" in text
    again = json.loads(wif("stats", "--json", **settings).stdout)
    assert (again["published"], again["months"]) == ([], told["months"])


def test_a_month_that_is_not_public_is_refused(settings: dict[str, str]) -> None:
    ran = wif("stats", "--month", "1999-01", **settings)
    assert ran.returncode == 2
    assert "--month" in ran.stderr
