"""`wif rules diff`: every difference between two rule sets, or between one and the files."""

from collections.abc import Sequence
from typing import Annotated

import typer

from cli.context import runtime, show_json
from cli.rules.options import AsJson, Directory, document_in, folder
from cli.rules.stored import active_document, stored_document
from cli.tables import show_table
from config.differences import Difference, differences

Hash = Annotated[
    str | None, typer.Argument(help="A rule set of `wif rules history`.", metavar="HASH")
]


def diff(
    before: Hash = None, after: Hash = None, directory: Directory = None, as_json: AsJson = False
) -> None:
    """Show what differs from one rule set to another.

    Without HASH from the one in force to the files; with one from that to the files.
    """
    with runtime() as running:
        old = stored_document(running, before) if before else active_document(running)
        new = (
            stored_document(running, after)
            if after
            else document_in(folder(directory, running.settings), running.settings)
        )
    found = differences(old, new)
    if as_json:
        show_json(found)
    else:
        show_differences(found)


def show_differences(found: Sequence[Difference]) -> None:
    """Print differences as a table."""
    if not found:
        typer.echo("No difference")
        return
    columns = ("section", "entry", "field", "before", "after")
    rows = [[getattr(each, name) for name in columns] for each in found]
    show_table("Differences", columns, rows)
