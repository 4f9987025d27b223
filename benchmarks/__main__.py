"""`python -m benchmarks`: measure, print a table, write JSON. See README.md beside this file."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import (
    audit,
    catch_up,
    decision,
    hints,
    idle,
    latency,
    memory,
    metrics,
    recorded,
    scale,
    start,
    statistics,
    throughput,
    units,
    years,
)
from benchmarks.parts import ROOT, Parts, parts
from benchmarks.result import Result, document, show
from routing.forms import TpsApi

FOLDER = ROOT / "var" / "bench"
"""Logs of the processes and the JSON of the last run; not part of the repository."""

SIZES = ("small", "usual", "full")

Bench = Callable[[Parts, str], Result]


def _at(size: str, *numbers: int) -> int:
    """The number for a size: small, usual, full."""
    return dict(zip(SIZES, numbers, strict=True))[size]


BENCHES: Mapping[str, Bench] = {
    "decision": lambda _, __: decision.run(),
    "throughput": lambda parts, size: throughput.run(
        parts, dossiers=_at(size, 600, 10_000, 100_000), turns=_at(size, 1, 7, 1)
    ),
    "idle": lambda parts, size: idle.run(parts, dossiers=_at(size, 2_000, 100_000, 100_000)),
    "idle-v2": lambda parts, size: idle.run(
        parts, dossiers=_at(size, 2_000, 20_000, 100_000), api=TpsApi.V2
    ),
    "catch-up": lambda parts, size: catch_up.run(parts, dossiers=_at(size, 600, 10_000, 10_000)),
    "latency-v2": lambda parts, size: latency.run(
        parts,
        backlog=_at(size, 1_000, 10_000, 50_000),
        seconds=_at(size, 5, 30, 120),
        api=TpsApi.V2,
    ),
    "latency": lambda parts, size: latency.run(
        parts, backlog=_at(size, 1_000, 10_000, 50_000), seconds=_at(size, 5, 30, 120)
    ),
    "memory": lambda parts, size: memory.run(parts, dossiers=_at(size, 1_000, 20_000, 200_000)),
    "scale": lambda parts, size: scale.run(parts, dossiers=_at(size, 500, 5_000, 20_000)),
    "audit": lambda parts, size: audit.run(
        parts,
        lines=_at(size, 50_000, 1_000_000, 1_000_000),
        dossiers=_at(size, 500, 3_000, 10_000),
    ),
    "start": lambda _, __: start.run(),
    "units": lambda _, size: units.run(count=_at(size, 2_000, 20_000, 20_000)),
    "hints": lambda parts, size: hints.run(parts, seconds=_at(size, 10, 60, 60)),
    "metrics": lambda parts, size: metrics.run(
        parts,
        dossiers=_at(size, 100_000, 1_000_000, 1_000_000),
        lives=_at(size, 5_000, 20_000, 50_000),
        compared=_at(size, 500, 3_000, 10_000),
    ),
    "stats": lambda parts, size: statistics.run(
        parts, dossiers=_at(size, 20_000, 1_000_000, 1_000_000)
    ),
    "years": lambda parts, size: years.run(
        parts,
        dossiers=_at(size, 50_000, 200_000, 1_000_000),
        lines=_at(size, 100_000, 2_000_000, 10_000_000),
    ),
}

SMALL = ("decision", "throughput", "audit")
"""What CI has time for."""


def main() -> int:
    """Read the command line and measure; 1 when a ratio is twice the recorded one."""
    given = _arguments()
    names = given.only or (SMALL if given.check else tuple(BENCHES))
    size = "small" if given.check else given.size
    results = []
    with parts(FOLDER) as running:
        for name in names:
            print(f"{name} ({size}) …", file=sys.stderr, flush=True)
            results.append(BENCHES[name](running, size))
    show(results)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(document(results), indent=1) + "\n", encoding="utf-8")
    print(f"written to {given.json}")
    if given.record:
        recorded.write(results)
    if given.check:
        return recorded.judge(results)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHES, help="may be repeated")
    parser.add_argument("--size", choices=SIZES, default="usual")
    parser.add_argument("--json", type=Path, default=FOLDER / "latest.json")
    parser.add_argument(
        "--check",
        action="store_true",
        help="the small ones; fails when a ratio is twice the recorded one",
    )
    parser.add_argument("--record", action="store_true", help="keep these ratios to compare with")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
