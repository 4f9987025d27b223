"""`wif procedures`: list, resume."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports

with lazy_imports():
    from cli import context, tables
    from service import register, resume
    from store import procedures


app = typer.Typer(no_args_is_help=True, help="Procedures: how polling goes.")

COLUMNS = ("number", "status", "reason", "failures", "polled_at", "scanned_at", "next_poll_at")


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List procedures with their status and clocks."""
    with context.runtime() as runtime:
        register.register_procedures(runtime)
        with runtime.database.read() as connection:
            found = procedures.listing(connection)
    rows = [{name: getattr(row, name) for name in COLUMNS} for row in found]
    if as_json:
        context.show_json(rows)
        return
    tables.show_table(f"{len(rows)} procedures", COLUMNS, [list(row.values()) for row in rows])


@app.command("resume")
def resume_(
    numbers: Annotated[list[int] | None, typer.Argument(help="Ids of procedures.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that do not run.")] = False,
) -> None:
    """Let stopped or paused procedures go on: what was held or given back is due at once."""
    if not numbers and not everything:
        raise CommandError("say which: ids of procedures, or --all", code=2)
    with context.runtime() as runtime:
        resumed = resume.resume(runtime, None if everything else numbers)
    typer.echo(f"{len(resumed)} procedures go on: {', '.join(map(str, resumed)) or 'none stood'}")
