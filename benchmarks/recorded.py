"""The ratios of an earlier run, and whether today's are far off."""

import json
from collections.abc import Iterable
from pathlib import Path

from benchmarks.result import Result

FILE = Path(__file__).with_name("recorded.json")

FAR_OFF = 2.0
"""Machines and their load differ: only what is twice as bad as recorded is a failure."""


def write(results: Iterable[Result]) -> None:
    """Keep the ratios of `results` over those recorded before."""
    kept = {**_read(), **_ratios(results)}
    rounded = {name: float(f"{value:.3g}") for name, value in sorted(kept.items())}
    FILE.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def judge(results: Iterable[Result]) -> int:
    """Print each ratio that is far off; 1 when there is one, else 0."""
    before = _read()
    off = {
        name: value
        for name, value in _ratios(results).items()
        if name in before and value > FAR_OFF * before[name]
    }
    for name, value in off.items():
        print(f"{name}: {value:.3g} is over {FAR_OFF:g} times the recorded {before[name]:.3g}")
    return 1 if off else 0


def _ratios(results: Iterable[Result]) -> dict[str, float]:
    return {name: value for result in results for name, value in result.ratios().items()}


def _read() -> dict[str, float]:
    return dict(json.loads(FILE.read_text(encoding="utf-8"))) if FILE.exists() else {}
