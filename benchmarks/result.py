"""What a benchmark found: figures with what was aimed at, as a table and as JSON."""

import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure.

    Attributes:
        name: what was measured.
        value: how much.
        unit: of what; `x` for a ratio, which alone means something on another machine.
        goal: the most that it should be, None where nothing is aimed at.
        note: what one must know to read it.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        return None if self.goal is None else self.value <= self.goal


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark found: its figures, and whatever else is worth keeping."""

    name: str
    figures: list[Figure]
    details: dict[str, Any] = field(default_factory=dict)

    def ratios(self) -> dict[str, float]:
        """The figures that can be compared between machines, by benchmark and name."""
        return {
            f"{self.name}: {each.name}": each.value for each in self.figures if each.unit == "x"
        }


def document(results: Iterable[Result]) -> dict[str, Any]:
    """Everything as JSON."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "results": [
            {
                "name": result.name,
                "figures": [{**asdict(each), "met": each.met} for each in result.figures],
                "details": result.details,
            }
            for result in results
        ],
    }


def machine() -> Mapping[str, Any]:
    """What the figures were taken on, as far as it matters to them."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def show(results: Iterable[Result]) -> None:
    """The figures as a table on standard output."""
    console = Console()
    table = Table("benchmark", "figure", "value", "goal", "", "note")
    for result in results:
        for each in result.figures:
            goal = "" if each.goal is None else f"≤ {_number(each.goal)}"
            verdict = {None: "", True: "met", False: "MISSED"}[each.met]
            value = f"{_number(each.value)} {each.unit}"
            table.add_row(result.name, each.name, value, goal, verdict, each.note)
    console.print(table)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
