"""`wif run-once`: one pass, its exit code and what it writes."""

import json
import subprocess
from pathlib import Path

import pytest

from routing.forms import Form
from tests.fixtures.harness import Harness
from tests.fixtures.processes import ROOT, WIF, clean_environment, wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""What differs between the engines is tested below the command."""


def test_run_once_routes_what_is_listed_and_a_second_run_sends_nothing(
    harness: Harness, service: dict[str, str], paris: Form
) -> None:
    harness.tps.populate([paris], 20, oddities=False)
    first, second = wif("run-once", "--json", **service), wif("run-once", "--json", **service)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert json.loads(first.stdout)["sent"] == 20
    assert json.loads(second.stdout)["sent"] == 0


def test_what_run_once_writes_is_readable_by_its_user_alone(
    harness: Harness, service: dict[str, str], paris: Form, tmp_path: Path
) -> None:
    harness.tps.add(paris)
    own = {"WIF_VAR_DIR": str(tmp_path / "own"), "WIF_OUTBOX_DIR": str(tmp_path / "own" / "outbox")}
    kept = {name: value for name, value in service.items() if name != "WIF_DATABASE_URL"}
    ran = subprocess.run(
        [*WIF, "run-once"], env=clean_environment({**kept, **own}), cwd=ROOT, umask=0, check=False
    )
    assert ran.returncode == 0
    written = [tmp_path / "own", *(tmp_path / "own").rglob("*")]
    assert {path.suffix for path in written} >= {".sqlite3", ".eml", ".key"}
    assert [path for path in written if path.stat().st_mode & 0o077] == []


def test_run_once_does_not_exit_0_when_something_failed(
    harness: Harness, service: dict[str, str], paris: Form
) -> None:
    bad = harness.tps.add(paris).number
    harness.tps.fail_detail(bad, 500)
    failed = wif("run-once", **service)
    assert (failed.returncode, failed.stderr) == (1, "exit code 1: quarantined 1\n")
