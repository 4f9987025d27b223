"""Tables on the terminal, whole even where the output is no terminal."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from routing.calendar import PARIS

WIDE = 160
"""Columns to use where there is no terminal to ask."""


def console() -> Console:
    """Standard output; wide when it goes into a file or a pipe."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=WIDE)


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under a title; None shows as a dash, instants in Paris time."""
    console().print(table(title, columns, rows))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Rows under a title, to be printed."""
    made = Table(title=title, title_justify="left", show_lines=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(escape(cell(value)) for value in row))
    return made


def cell(value: object) -> str:
    """How one value is shown."""
    if value is None or value == "":
        return "–"
    if isinstance(value, datetime):
        return f"{value.astimezone(PARIS):%Y-%m-%d %H:%M:%S %Z}"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
