"""The register of processing activities, read as the tables that it is made of."""

import re
from pathlib import Path

REGISTER = Path(__file__).resolve().parents[2] / "docs" / "registre-des-traitements.md"

_NAME = re.compile(r"`([^`]+)`")


def sections() -> dict[str, list[list[str]]]:
    """For each heading of the third level, the rows of its table, cell by cell."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for line in REGISTER.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.removeprefix("### ") if line.startswith("### ") else ""
        elif heading and line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found.setdefault(heading, []).append([cells[0].strip("`"), *cells[1:]])
    return found


def tables() -> dict[str, dict[str, list[str]]]:
    """For each documented table, its columns: kind, content and reason, duration."""
    return {
        _NAME.findall(heading)[0]: {name: cells for name, *cells in rows}
        for heading, rows in sections().items()
        if heading.startswith("Table ")
    }


def names(heading: str) -> list[str]:
    """The documented names below a heading."""
    return [row[0] for row in sections()[heading]]


def arguments() -> dict[str, list[str]]:
    """For each documented task, the names of its arguments."""
    return {task: _NAME.findall(cells[0]) for task, *cells in sections()["Tâches"]}
