"""How long it takes to check the rule files where there are very many units."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Figure, Result
from config.ruleset import check_directory
from config.schema import FILES
from config.settings import HERE

SECONDS = 2.0
TURNS = 3


def run(*, count: int) -> Result:
    """Read and check the default rules with `count` units more."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in FILES:
            (folder / file).write_text((HERE / file).read_text("utf-8"), "utf-8")
        with (folder / "units.yaml").open("a", encoding="utf-8") as units:
            units.writelines(_units(count))
        seconds = min(_checked(folder) for _ in range(TURNS))
    return Result(
        "units",
        [
            Figure(
                name=f"{count:,} units read and checked",
                value=seconds,
                unit="s",
                goal=SECONDS,
                note=f"processor time, best of {TURNS}",
            )
        ],
    )


def _units(count: int) -> Iterator[str]:
    for number in range(count):
        yield (
            f"\n  - code: SERVICE{number}\n    name: Service {number}\n"
            f"    channels:\n      - mail: moe.service{number}@direccte.example\n"
        )


def _checked(folder: Path) -> float:
    before = time.process_time()
    _, mistakes = check_directory(folder)
    taken = time.process_time() - before
    assert not mistakes, mistakes[0]
    return taken
