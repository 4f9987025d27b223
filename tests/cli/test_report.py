"""`wif report`: files for each unit and for the national office."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.fixtures.harness import Harness
from tests.fixtures.processes import wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
def settings(harness: Harness, tmp_path: Path) -> dict[str, str]:
    harness.now -= timedelta(days=40)
    harness.file()
    harness.run()
    return {
        "WIF_DATABASE_URL": harness.runtime.settings.database,
        "WIF_VAR_DIR": str(harness.runtime.settings.var_dir),
    }


def test_a_month_is_written(settings: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    done = wif("report", "2026-10", "--dir", str(folder), **settings)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == [
        "rapport-2026-10-UD075.xlsx",
        "rapport-2026-10-national.xlsx",
    ]
    alone = wif("report", "2026-10", "--dir", str(folder), "--unit", "UD075", **settings)
    assert "1 report written" in alone.stdout


@pytest.mark.parametrize("month", ["2026", "2026-13", "octobre", "2026-1", "٢٠٢٦-١٠", "9999-12"])
def test_what_is_no_month_that_is_over_is_refused(settings: dict[str, str], month: str) -> None:
    refused = wif("report", month, **settings)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"{month}: is ")
    assert len(refused.stderr.splitlines()) == 1


def test_a_unit_without_dossiers_is_said(settings: dict[str, str], tmp_path: Path) -> None:
    refused = wif("report", "2026-10", "--dir", str(tmp_path), "--unit", "UD971", **settings)
    assert refused.returncode == 1
    assert "UD971: had no dossier" in refused.stderr
