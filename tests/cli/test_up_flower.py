"""`wif up --flower`: a login made at the start and shown once; names of this machine alone."""

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.fixtures.orphans import free_port
from tests.fixtures.processes import ROOT, WIF, clean_environment, until

SHOWN = re.compile(r"flower: (http://127\.0\.0\.1:\d+) login (\w+):(\S+)")


@pytest.fixture
def printed(service: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """What `wif up --flower` prints, the programs that it starts included, while it runs."""
    log, port = tmp_path / "log", free_port()
    with log.open("wb") as file:
        running = subprocess.Popen(
            [*WIF, "up", "--flower", "--flower-port", str(port), "--concurrency", "1"],
            env=clean_environment(service),
            cwd=ROOT,
            stdout=file,
            stderr=file,
        )
    try:
        until(lambda: SHOWN.search(log.read_text()) is not None, "the login is shown")
        until(lambda: _answers(f"http://127.0.0.1:{port}/healthcheck"), "Flower answers")
        yield log
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(60)


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_flower_asks_for_the_login_that_was_shown_once(printed: Path) -> None:
    ((address, user, password),) = SHOWN.findall(printed.read_text())

    def status(login: tuple[str, str] | None, host: str = "127.0.0.1") -> int:
        page = requests.get(f"{address}/workers", auth=login, headers={"Host": host}, timeout=30)
        return page.status_code

    assert status(None) == 401
    assert status((user, "another")) == 401
    assert status((user, password)) == 200
    assert status((user, password), "rebound.attacker.example") == 403
    assert len(password) >= 16
    assert printed.read_text().count(password) == 1
