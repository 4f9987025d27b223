"""Long commands draw bars where somebody looks, and write nothing about it anywhere else."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from routing.forms import Form
from service.seal import seal
from tests.fixtures.harness import Harness
from tests.fixtures.processes import ROOT, WIF, clean_environment, wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

BAR = "\N{BOX DRAWINGS HEAVY HORIZONTAL}"
LONG = {
    "run-once": "procedures polled",
    "rules simulate": "dossiers",
    "audit verify": "lines",
    "audit export --out {folder}/export": "lines",
    "purge --dry-run": "dossiers",
    "backup {folder}/backup": "database",
}
"""Commands that can take long, and what their bar says."""


@pytest.fixture
def settings(harness: Harness, service: dict[str, str], paris: Form) -> dict[str, str]:
    harness.tps.populate([paris], 20, oddities=False)
    harness.run()
    seal(harness.runtime)
    return service


def on_a_terminal(command: str, settings: dict[str, str]) -> str:
    """What a command writes to standard error, which is a terminal."""
    mine, its = pty.openpty()
    environment = clean_environment({**settings, "TERM": "xterm", "LANG": "C.UTF-8"})
    # What it writes is less than a terminal keeps for whoever reads later.
    command_line = [*WIF, *command.split()]
    subprocess.run(
        command_line, stdout=subprocess.PIPE, stderr=its, env=environment, cwd=ROOT, check=False
    )
    os.close(its)
    said = b""
    while piece := _read(mine):
        said += piece
    os.close(mine)
    return said.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


@pytest.mark.parametrize("command", LONG)
def test_a_long_command_draws_a_bar_on_a_terminal(
    command: str, settings: dict[str, str], tmp_path: Path
) -> None:
    said = on_a_terminal(command.format(folder=tmp_path), settings)
    assert LONG[command] in said
    assert BAR in said


@pytest.mark.parametrize("command", LONG)
def test_nothing_is_drawn_into_a_pipe(
    command: str, settings: dict[str, str], tmp_path: Path
) -> None:
    ran = wif(*command.format(folder=tmp_path).split(), **settings)
    assert BAR not in ran.stderr
