"""No secret is committed: the scan of `make check`, and what it would find."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.processes import ROOT

BASELINE = ROOT / ".secrets.baseline"
PLANTED = {
    "settings.py": 'TOKEN = "8f14e45fceea167a5a36" "dedd4bea2543a8b1c9d0"',
    "keys.py": 'AUDIT_KEY = "mZq3vT8xW1yB5nK7cR2dF6gH9jL0" "pS4uA8eI3oU6tYw="',
    "compose.yml": 'environment:\n  POSTGRES_PASSWORD: k9Zx81kQ" "pLmN4v\n',
    "notes.md": 'smtps://wif:Zx81kQ" "pLmN4v@smtp.direccte.fr:465',
    "seal.key": '-----BEGIN" " PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHZq3vT8\n',
}
"""Files with what looks like a secret, cut in two so that this one holds none."""


def scan(*files: Path) -> int:
    """The exit code of the scan that `make check` runs."""
    program = Path(sys.executable).with_name("detect-secrets-hook")
    command: list[str | Path] = [program, "--no-verify", "--baseline", BASELINE, *files]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode


def test_nothing_is_forgiven_in_advance() -> None:
    assert json.loads(BASELINE.read_text())["results"] == {}


def test_make_check_scans_every_file() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("check: install")[2].partition("\n\n")[0]
    assert "detect-secrets-hook --no-verify --baseline .secrets.baseline $(wildcard" in recipe


@pytest.mark.parametrize("name", PLANTED)
def test_a_secret_in_a_file_is_found(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(PLANTED[name].replace('" "', ""))
    assert scan(path) == 1


def test_a_file_without_secrets_passes(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("export WIF_SMTP_URL=smtp+starttls://user:password@smtp.example:587\n")
    assert scan(path) == 0
