"""What a command takes before it does anything, beside what it cannot do without."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

from benchmarks.result import Figure, Result
from cli.processes import wif_command
from config.settings import DOTENV, PREFIX

TURNS = 5
HELP_GOAL = 3.0
STATUS_GOAL = 2.0


def run() -> Result:
    """The help of `wif`, and `wif status` on a service that is there."""
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(folder)
        # Makes the database; what is measured is the second call.
        _seconds(wif_command("status"), environment)
        return Result(
            "start",
            [
                *_compared("--help", "typer", HELP_GOAL, environment),
                *_compared("status", "sqlalchemy.orm, pydantic_settings", STATUS_GOAL, environment),
            ],
        )


def _compared(
    command: str, libraries: str, goal: float, environment: Mapping[str, str]
) -> list[Figure]:
    """The best of some turns of both, in turn: the machine's pace changes meanwhile."""
    imports = (sys.executable, "-P", "-c", f"import {libraries}")
    pairs = [
        (_seconds(wif_command(command), environment), _seconds(imports, environment))
        for _ in range(TURNS)
    ]
    ours, theirs = (min(times) for times in zip(*pairs, strict=True))
    return [
        Figure(
            name=f"`wif {command}` over `import {libraries}`",
            value=ours / theirs,
            unit="x",
            goal=goal,
            note=f"of {TURNS}, processor time: {ours * 1000:.0f} ms and {theirs * 1000:.0f} ms",
        )
    ]


def _seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Of the processor: the same as on the clock where the machine has nothing else to do."""
    before = _spent()
    # The exit code of `status` says whether something is open.
    subprocess.run(command, env=dict(environment), check=False, stdout=subprocess.DEVNULL)
    return _spent() - before


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _environment(folder: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**kept, f"{PREFIX}VAR_DIR": folder, DOTENV: os.devnull}
