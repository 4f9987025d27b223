"""`wif status --watch`: on a terminal, in a pipe, as JSON, until Ctrl-C."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


class Screen:
    """A terminal on which the status is watched.

    Attributes:
        written: all that came to it so far.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*WIF, *WATCH], cwd=ROOT, env=environment, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self.written = bytearray()

    def shows(self, text: bytes) -> int:
        """How often a text was written, after a look at what is new."""
        self.written += os.read(self._ours, 65_536)
        return self.written.count(text)

    def leave(self) -> int:
        """Press Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        with suppress(OSError):  # the other end is closed: it ended
            while chunk := os.read(self._ours, 65_536):
                self.written += chunk
        return self.process.wait()


@contextmanager
def watching(environment: dict[str, str]) -> Iterator[Screen]:
    screen = Screen(environment)
    try:
        yield screen
    finally:
        screen.leave()
        os.close(screen._ours)


def test_a_terminal_shows_one_page_drawn_in_its_place(environment: dict[str, str]) -> None:
    with watching(environment) as screen:
        until(lambda: screen.shows(b"Service") >= 3, "three looks")
        assert screen.leave() in {0, 3}
        written = screen.written
    on, off = written.index(b"\x1b[?1049h"), written.index(b"\x1b[?1049l")
    page = written[on:off]
    assert page.count(b"Service") >= 3
    assert b"\x1b[2J" not in page[page.index(b"Service") :], "the page is cleared: it flickers"
    assert b"Service" in written[off:], "the last look stays"
    assert b"Traceback" not in written


def test_what_was_seen_last_stays_while_the_database_does_not_answer(
    environment: dict[str, str],
) -> None:
    path = Path(environment["WIF_DATABASE_URL"].removeprefix("sqlite:///"))
    aside = path.with_suffix(".aside")
    with watching(environment) as screen:
        until(lambda: screen.shows(b"Service") >= 1, "a look")
        path.rename(aside)
        path.mkdir()
        until(lambda: screen.shows(b"DOES NOT ANSWER") >= 1, "the outage is shown")
        path.rmdir()
        aside.rename(path)
        before = screen.shows(b"Service")
        until(lambda: screen.shows(b"Service") >= before + 2, "it goes on")


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
