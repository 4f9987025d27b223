"""`wif keys`: ages without contents, and a rotation that loses no line."""

import base64
import json
import os
import stat
from pathlib import Path

import pytest

from tests.fixtures.harness import Harness
from tests.fixtures.processes import wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

YEAR_OLD = 1_700_000_000


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Settings whose audit keys are in files."""
    (tmp_path / "audit_key").write_text(base64.b64encode(bytes(range(32))).decode())
    (tmp_path / "previous").write_text("")
    return {
        "WIF_AUDIT_KEY_FILE": str(tmp_path / "audit_key"),
        "WIF_AUDIT_PREVIOUS_KEYS_FILE": str(tmp_path / "previous"),
        "WIF_VAR_DIR": str(tmp_path / "var"),
    }


def test_a_rotated_key_keeps_every_one_before_it(
    files: dict[str, str], tmp_path: Path, engine_name: str
) -> None:
    first = (tmp_path / "audit_key").read_text()
    for _ in range(2):
        done = wif("keys", "rotate-audit", **files)
        assert done.returncode == 0, done.stderr
    kept = (tmp_path / "previous").read_text().split()
    assert len(kept) == 2
    assert kept[1] == first
    assert (tmp_path / "audit_key").read_text().strip() not in kept
    assert stat.S_IMODE((tmp_path / "audit_key").stat().st_mode) == 0o600


def test_lines_before_a_rotation_are_still_found(harness: Harness) -> None:
    number = harness.file()
    harness.run()
    settings = {
        "WIF_DATABASE_URL": harness.runtime.settings.database,
        "WIF_VAR_DIR": str(harness.runtime.settings.var_dir),
    }
    assert wif("keys", "rotate-audit", **settings).returncode == 0
    procedure = harness.dossier(number).procedure
    traced = wif("audit", "trace", f"{procedure}/{number}", "--json", **settings)
    assert "sent" in {line["step"] for line in json.loads(traced.stdout)}


def test_a_key_that_is_no_file_is_not_rotated(tmp_path: Path, engine_name: str) -> None:
    given = {"WIF_AUDIT_KEY": base64.b64encode(bytes(32)).decode()}
    refused = wif("keys", "rotate-audit", WIF_VAR_DIR=str(tmp_path), **given)
    assert refused.returncode == 2
    assert "WIF_AUDIT_KEY_FILE: is not set" in refused.stderr


def test_ages_are_listed_and_doctor_warns_of_an_old_one(
    files: dict[str, str], tmp_path: Path, engine_name: str
) -> None:
    os.utime(tmp_path / "audit_key", (YEAR_OLD, YEAR_OLD))
    content = (tmp_path / "audit_key").read_text()
    listed = wif("keys", "list", "--json", **files)
    (age,) = [a for a in json.loads(listed.stdout) if a["setting"] == "WIF_AUDIT_KEY_FILE"]
    assert age["days"] > 365
    assert content not in listed.stdout
    found = json.loads(wif("doctor", "--json", **files).stdout)
    (secrets,) = [each for each in found if each["check"] == "secrets"]
    assert secrets["state"] == "warn"
    assert "WIF_AUDIT_KEY_FILE is" in secrets["advice"]
    relaxed = wif("doctor", "--json", WIF_SECRET_MAX_AGE_DAYS="100000", **files)
    (secrets,) = [e for e in json.loads(relaxed.stdout) if e["check"] == "secrets"]
    assert secrets["state"] == "ok"
