"""`wif worker` and `wif beat` in production: every line that they print is JSON."""

import base64
import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from config.settings import HERE
from tests.fixtures.processes import ROOT, WIF, clean_environment, until


@pytest.fixture
def production(redis_url: str, database_url: str, tmp_path: Path) -> dict[str, str]:
    """Settings that production accepts; nothing answers at TPS and the mail server."""
    shutil.copytree(HERE, tmp_path / "config", ignore=shutil.ignore_patterns("*.py", "__*"))
    units = tmp_path / "config" / "units.yaml"
    units.write_text(units.read_text().replace("direccte.example", "direccte.internal"))
    given = {
        "WIF_ENV": "production",
        "WIF_BROKER_URL": redis_url,
        "WIF_DATABASE_URL": database_url,
        "WIF_CONFIG_DIR": str(tmp_path / "config"),
        "WIF_VAR_DIR": str(tmp_path / "var"),
        "WIF_TPS_URL": "https://127.0.0.1:9",
        "WIF_TPS_TOKEN": "token",
        "WIF_SMTP_URL": "smtps://127.0.0.1:9",
        "WIF_MAIL_FROM": "wif@wif.example",
        "WIF_AUDIT_KEY": base64.b64encode(bytes(32)).decode(),
        "WIF_SEAL_KEY_FILE": str(tmp_path / "seal.key"),
        "WIF_SWEEP_INTERVAL": "1",
    }
    made = [*WIF, "audit", "seals", "new-key", given["WIF_SEAL_KEY_FILE"]]
    subprocess.run(made, env=clean_environment(given), cwd=ROOT, check=True, capture_output=True)
    return given


def worker_is_ready(folder: Path) -> bool:
    return "worker-ready" in (folder / "log").read_text()


def beat_has_ticked(folder: Path) -> bool:
    return (folder / "var" / "beat.pulse").exists()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("command", "begun"),
    [
        (("worker", "--queues", "upkeep", "--concurrency", "1"), worker_is_ready),
        (("beat",), beat_has_ticked),
    ],
    ids=["worker", "beat"],
)
def test_no_banner_stands_between_the_lines_of_a_log(
    production: dict[str, str],
    tmp_path: Path,
    command: tuple[str, ...],
    begun: Callable[[Path], bool],
) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        running = subprocess.Popen(
            [*WIF, *command],
            env=clean_environment(production),
            cwd=ROOT,
            stdout=file,
            stderr=file,
        )
    try:
        until(lambda: begun(tmp_path), f"{command[0]} has begun")
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(60)
    assert running.returncode == 0
    assert all(json.loads(line)["event"] for line in log.read_text().splitlines())
