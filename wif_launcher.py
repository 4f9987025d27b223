"""The entry of `wif`: refuses to run where a foreign module would stand in for one of ours.

The names of our packages are common (`config`, `tasks`), so a file of the same name in a folder of
PYTHONPATH would be imported, and run, in their place. This module has a name that nobody else has
and imports nothing of ours before it has looked where each name leads.
"""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

HOME = Path(__file__).resolve().parent
MODULES = (
    *("routing", "connectors", "store", "service", "tasks", "web", "simulator", "config", "cli"),
    "celeryconfig",
)
"""Our top-level names."""


def foreign_modules() -> Iterator[tuple[str, Path]]:
    """Names of ours that lead elsewhere, each with the file or folder that would be imported."""
    for name in MODULES:
        ours = {HOME / name / "__init__.py", HOME / f"{name}.py"}
        spec = importlib.util.find_spec(name)
        place = Path(spec.origin) if spec and spec.origin else None
        if place and place.resolve() not in ours and any(path.is_file() for path in ours):
            yield name, place


def refuse_foreign_modules() -> None:
    """End the program (exit code 2), naming what shadows our modules, before any of it runs."""
    found = list(foreign_modules())
    for name, place in found:
        sys.stderr.write(
            f"{place}: would be imported in place of this program's own module {name!r}; take its "
            "folder out of PYTHONPATH, and start Celery by `wif worker` and `wif beat`\n"
        )
    if found:
        sys.exit(2)


def main() -> None:
    """Run `wif`."""
    refuse_foreign_modules()
    from cli.main import main as wif  # noqa: PLC0415 - only after the look

    wif()


if __name__ == "__main__":
    main()
