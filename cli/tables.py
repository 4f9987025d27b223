"""Tables on the terminal, whole even where the output is no terminal."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli import codes
from config.messages import mark, tr
from routing.calendar import PARIS

NAMES = (
    *(mark("procedure"), mark("number"), mark("status"), mark("state"), mark("permit_type")),
    *(mark("department"), mark("department_source"), mark("filed_at"), mark("unit")),
    *(mark("rule"), mark("ruleset"), mark("reason"), mark("reasons"), mark("unrouted")),
    *(mark("pinned"), mark("pinned_reason"), mark("attempts"), mark("seen_at"), mark("age_days")),
    *(mark("id"), mark("event"), mark("channel"), mark("finished_at"), mark("failures")),
    *(mark("polled_at"), mark("scanned_at"), mark("next_poll_at"), mark("api"), mark("field")),
    *(mark("label"), mark("mismatch"), mark("likely"), mark("check"), mark("advice")),
    *(mark("what"), mark("value"), mark("count"), mark("procedures"), mark("cause")),
    *(mark("part"), mark("at"), mark("kind"), mark("subject"), mark("since"), mark("opened_at")),
    *(mark("section"), mark("entry"), mark("before"), mark("after"), mark("matches")),
    *(mark("why not"), mark("hash"), mark("action"), mark("in force"), mark("actor")),
    *(mark("note"), mark("from"), mark("to"), mark("rule before"), mark("rule after")),
    *(mark("undecided"), mark("decided, stay"), mark("départements"), mark("permit types")),
    *(mark("from day"), mark("publish"), mark("rollback")),
    *(mark("polls_failed"), mark("rows_malformed"), mark("new"), mark("changed")),
    *(mark("setting"), mark("written"), mark("days"), mark("enabled"), mark("url")),
    *(mark("heard_at"), mark("account"), mark("lines"), mark("last"), mark("sealed")),
    *(mark("step"), mark("attempt"), mark("duration_ms")),
    mark("dossiers"),
    *(
        mark("recorded_only"),
        mark("not_read"),
        mark("retried"),
        mark("ready"),
        mark("queue"),
        mark("messages"),
    ),
)
"""What columns and rows are called; in JSON and CSV these names stay as they are."""

CODED = frozenset(
    {"status", "state", "event", "action", "department_source", "mismatch", "queue", "step"}
)
"""Columns whose codes are shown in words."""

REASONED = frozenset({"reason", "cause"})
"""Columns of codes that are explained below the table."""

WIDE = 160
"""Columns to use where there is no terminal to ask."""


def console() -> Console:
    """Standard output; wide when it goes into a file or a pipe."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=WIDE)


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under a title; None shows as a dash, instants in Paris time."""
    kept = list(rows)
    console().print(table(title, columns, kept))
    for line in meanings(columns, kept):
        console().print(line, markup=False, highlight=False, soft_wrap=True)


def meanings(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """What the codes of the reasons in rows mean, a line for each."""
    found = {
        code: None
        for row in rows
        for column, value in zip(columns, row, strict=True)
        if column in REASONED and value
        for code in str(value).split(",")
    }
    yield from (f"- {codes.explained(code)}" for code in found if codes.explained(code) != code)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Rows under a title, to be printed."""
    made = Table(title=title, title_justify="left", show_lines=False)
    for column in columns:
        made.add_column(tr(column), overflow="fold")
    for row in rows:
        named = zip(columns, row, strict=True)
        made.add_row(*(escape(_shown(name, value)) for name, value in named))
    return made


def _shown(column: str, value: object) -> str:
    return tr(cell(value)) if column in CODED else cell(value)


def cell(value: object) -> str:
    """How one value is shown."""
    if value is None or value == "":
        return "–"
    if isinstance(value, Enum):
        return tr(str(value.value))
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if isinstance(value, datetime):
        return f"{value.astimezone(PARIS):%Y-%m-%d %H:%M:%S %Z}"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
