"""Flower answers requests for this machine's own names, and nobody else's."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from cli.processes import flower_command
from tests.fixtures.orphans import free_port
from tests.fixtures.processes import clean_environment, until

LOGIN = ("wif", "a-login-of-a-test")


@pytest.fixture
def flower(redis_url: str, tmp_path: Path) -> Iterator[str]:
    """Flower on loopback as `wif up` starts it, in a folder of others' modules of our names."""
    for name in ("tasks", "celeryconfig", "config", "connectors", "routing", "service", "store"):
        tmp_path.joinpath(f"{name}.py").write_text("raise SystemExit('not ours')")
    port = free_port()
    environment = clean_environment(
        {
            "WIF_BROKER_URL": redis_url,
            "WIF_VAR_DIR": str(tmp_path),
            "WIF_FLOWER_HOSTS": "flower.wif.example",
            "FLOWER_BASIC_AUTH": ":".join(LOGIN),
        }
    )
    process = subprocess.Popen(
        flower_command(port), env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(address), "Flower answers")
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/healthcheck", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_it_asks_for_its_login_and_for_a_name_of_this_machine(flower: str) -> None:
    def status(host: str | None = None, login: tuple[str, str] | None = LOGIN) -> int:
        headers = {"Host": host} if host else {}
        answer = requests.get(f"{flower}/workers", headers=headers, auth=login, timeout=30)
        return answer.status_code

    assert status() == 200
    assert status(login=None) == 401
    assert status(host="localhost") == 200
    assert status(host="flower.wif.example") == 200
    assert status(host="rebound.attacker.example") == 403
    assert status(host="rebound.attacker.example:5555") == 403
    answer = requests.get(f"{flower}/metrics", headers={"Host": "a.example"}, timeout=30)
    assert answer.status_code == 403


def test_its_login_is_not_among_the_arguments_of_its_process(flower: str) -> None:
    arguments = b"".join(_arguments())
    assert b"tasks.flower" in arguments
    assert LOGIN[1].encode() not in arguments


def _arguments() -> Iterator[bytes]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield file.read_bytes()
