"""`wif status --watch`: on a terminal, in a pipe, as JSON, until Ctrl-C."""

import json
import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from tests.fixtures.harness import Harness
from tests.fixtures.json_documents import check_json
from tests.fixtures.processes import ROOT, WIF, clean_environment, until, wif


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


WATCH = ("status", "--watch", "--interval", "0.2")


@pytest.fixture
def environment(harness: Harness, tmp_path: Path) -> dict[str, str]:
    harness.file()
    harness.run()
    settings = {
        "WIF_DATABASE_URL": harness.runtime.settings.database,
        "WIF_VAR_DIR": str(tmp_path / "var"),
    }
    return clean_environment({**settings, "TERM": "xterm", "COLUMNS": "120", "LINES": "50"})


def test_a_terminal_shows_one_page_drawn_in_its_place(environment: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    written = bytearray()
    with subprocess.Popen(
        [*WIF, *WATCH], cwd=ROOT, env=environment, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)

        def looks(n: int) -> bool:
            written.extend(os.read(ours, 65_536))
            return written.count(b"Service") >= n

        until(lambda: looks(3), "three looks")
        process.send_signal(signal.SIGINT)
        try:
            while chunk := os.read(ours, 65_536):
                written.extend(chunk)
        except OSError:
            pass  # the other end is closed: it ended
        assert process.wait() in {0, 3}
    os.close(ours)
    on, off = written.index(b"\x1b[?1049h"), written.index(b"\x1b[?1049l")
    page = written[on:off]
    assert page.count(b"Service") >= 3
    assert b"\x1b[2J" not in page[page.index(b"Service") :], "the page is cleared: it flickers"
    assert b"Service" in written[off:], "the last look stays"
    assert b"Traceback" not in written


def test_json_is_a_line_for_each_look_and_the_code_that_of_the_last(
    environment: dict[str, str],
) -> None:
    with subprocess.Popen(
        [*WIF, *WATCH, "--json"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first, second = process.stdout.readline(), process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait() == 0
    check_json([*WATCH, "--json"], first + second + rest)
    assert json.loads(second)["dossiers"]["routed"] == 1


@pytest.mark.parametrize("interval", ["0", "-1", "nan", "86400"])
def test_an_interval_has_bounds(environment: dict[str, str], interval: str) -> None:
    assert wif("status", "--watch", "--interval", interval).returncode == 2
