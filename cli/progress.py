"""Bars on standard error while a long command works, where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

T = TypeVar("T")


class Bars:
    """What each part of the work has done; says nothing where nobody looks.

    Args:
        drawn: draws them; None where standard error is no terminal.
    """

    def __init__(self, drawn: Progress | None) -> None:
        self._drawn = drawn
        self._tasks: dict[str, TaskID] = {}

    def show(self, what: str, done: int, total: int | None = None) -> None:
        """`done` of `total` that are to do; None where nobody knows how much that is."""
        if self._drawn is not None:
            self._drawn.update(self._task(what), completed=done, total=total)

    def add(self, what: str, count: int = 1, total: int | None = None) -> None:
        """`count` more are done."""
        if self._drawn is not None:
            self._drawn.update(self._task(what), advance=count, total=total)

    def _task(self, what: str) -> TaskID:
        assert self._drawn is not None  # noqa: S101 - callers have looked
        if what not in self._tasks:
            self._tasks[what] = self._drawn.add_task(what, total=None)
        return self._tasks[what]

    def each(self, items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
        """`items`, each counted when the next one is asked for."""
        for item in items:
            yield item
            self.add(what, total=total)


@contextmanager
def bars() -> Iterator[Bars]:
    """Bars that are taken away at the end; nothing is written to a pipe or a file."""
    if not sys.stderr.isatty():
        yield Bars(None)
        return
    from rich.console import Console  # noqa: PLC0415 - only at a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        yield Bars(drawn)
