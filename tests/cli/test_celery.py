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
from tests.fixtures.orphans import free_port
from tests.fixtures.processes import ROOT, WIF, clean_environment, until, wif


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


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("command", [("worker", "--concurrency", "1"), ("beat",), ("serve",)])
def test_a_database_that_is_away_is_one_line_of_the_log(
    production: dict[str, str], tmp_path: Path, command: tuple[str, ...]
) -> None:
    away = f"postgresql://wif@127.0.0.1:{free_port()}/wif"
    ports = {"WIF_WEB_ADDRESS": "127.0.0.1:0", "WIF_WEB_PRIVATE_ADDRESS": "127.0.0.1:0"}
    log = tmp_path / "errors"
    with log.open("wb") as file:
        running = subprocess.Popen(
            [*WIF, *command],
            env=clean_environment({**production, **ports, "WIF_DATABASE_URL": away}),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
    try:
        until(lambda: b"\n" in log.read_bytes(), f"{command[0]} says something")
    finally:
        running.kill()
        running.wait()
    said = json.loads(log.read_text().splitlines()[0])
    assert (said["event"], said["reason"]) == ("database-unusable", "away")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_production_asks_for_a_broker_what_uses_it_and_nothing_else(
    production: dict[str, str],
) -> None:
    without = {name: value for name, value in production.items() if name != "WIF_BROKER_URL"}
    for command in ("worker", "beat", "up", "serve"):
        ran = wif(command, **without)
        assert ran.returncode == 2
        assert ran.stderr == (
            "WIF_BROKER_URL: needed when WIF_ENV=production; for example: "
            "WIF_BROKER_URL=redis://:password@redis.example:6379/0\n"  # pragma: allowlist secret
        )

    ran = wif("run-once", "--json", WIF_TPS_PROCEDURES="13760", **without)
    assert json.loads(ran.stdout)["polls_failed"] == 1, "nothing answers at TPS"
    found = {each["check"]: each for each in json.loads(wif("doctor", "--json", **without).stdout)}
    assert found["broker"]["state"] == "ok"
    assert found["broker"]["advice"].startswith("not set: `wif run-once` needs none")
