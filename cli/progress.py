"""How far a long command has come."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn


@contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each thing on standard error where that is a terminal, nothing elsewhere.

    What it gives is told what is done, how much of it, and of how much.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    shown = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
    tasks: dict[str, TaskID] = {}

    def show(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = shown.add_task(what, total=total)
        shown.update(tasks[what], completed=done, total=total)

    with shown:
        yield show
