"""`wif rules diff`: every difference between two rule sets, or between one and the files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli.lazy import lazy_imports
from cli.rules.options import AsJson, Directory, document_in, folder
from config.messages import mark, tr

with lazy_imports():
    from cli import context, tables
    from cli.rules import stored
    from config import differences

if TYPE_CHECKING:
    from config.differences import Difference


SECTIONS = (
    *(mark("units"), mark("kinds"), mark("procedures"), mark("permit_types"), mark("rules")),
    *(mark("reasons"), mark("fallback"), mark("order")),
)
"""What parts of a document are called, in words where they are shown."""

Before = Annotated[
    str | None, typer.Argument(help="A rule set of `wif rules history`.", metavar="BEFORE")
]
After = Annotated[str | None, typer.Argument(help="Another one; else the files.", metavar="AFTER")]


def diff(
    before: Before = None, after: After = None, directory: Directory = None, as_json: AsJson = False
) -> None:
    """Show what differs from one rule set to another.

    Without BEFORE from the one in force to the files; with BEFORE alone from that to the files.
    """
    with context.runtime() as running:
        old = stored.stored_document(running, before) if before else stored.active_document(running)
        new = (
            stored.stored_document(running, after)
            if after
            else document_in(folder(directory, running.settings), running.settings)
        )
    found = differences.differences(old, new)
    if as_json:
        context.show_json(found)
    else:
        show_differences(found)


def show_differences(found: Sequence[Difference]) -> None:
    """Print differences as a table."""
    if not found:
        typer.echo(tr("No difference"))
        return
    columns = ("section", "entry", "field", "before", "after")
    rows = [
        [tr(each.section), each.entry, tr(each.field), each.before, each.after] for each in found
    ]
    tables.show_table(tr("Differences"), columns, rows)
