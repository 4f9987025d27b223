"""`wif db`: the schema of the database."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.foreign_messages import translated
from config.messages import for_people, tr, trn

with lazy_imports():
    from cli import context, progress
    from service import runtime
    from store import grants, partitions, schema


app = typer.Typer(no_args_is_help=True, help="The database's schema.")


@app.command()
def upgrade(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bring the database to the newest schema, and let WIF_DATABASE_ROLE work with it.

    Safe to run at every start, by several at once, and while workers of this version or the one
    before run. It goes forward only.
    """
    made = runtime.Runtime(context.settings())
    try:
        schema.upgrade(made.database, progress=partial(_say, aside=as_json))
        role = made.settings.database_role
        if role and made.database.dialect == "postgresql":
            with made.database.begin() as connection:
                grants.grant(connection, role)
    except schema.SchemaError as error:
        raise CommandError(translated(str(error)), code=2) from None
    finally:
        made.close()
    if as_json:
        context.show_json({"schema": schema.NEWEST})
        return
    typer.echo(tr("the database has the newest schema, {newest}", newest=schema.NEWEST))


def _say(step: str, *, aside: bool) -> None:
    """Say what a migration is at; beside JSON on standard error."""
    said = translated(step)
    typer.echo(for_people(said) if aside else said, err=aside)


@app.command()
def partition(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Partition the audit log by month (PostgreSQL), or make partitions of months to come.

    The service may go on meanwhile; what was cut off goes on where it stopped. For a while the
    audit log takes twice its room on the disk. Once a year is enough: `wif doctor` says when.
    """
    made = runtime.Runtime(context.settings())
    try:
        with progress.bars() as bars:
            done = partitions.partition(
                made.database, made.clock(), role=made.settings.database_role, progress=bars.show
            )
    except partitions.PartitionError as error:
        raise CommandError(translated(str(error)), code=2) from None
    finally:
        made.close()
    if as_json:
        context.show_json(done)
        return
    moved = trn("{n} line was moved", "{n} lines were moved", done.copied)
    typer.echo(
        trn(
            "the audit log has {n} partition, by month until {until}; {moved}",
            "the audit log has {n} partitions, by month until {until}; {moved}",
            done.partitions,
            until=done.until,
            moved=moved,
        )
    )


@app.callback()
def _group() -> None:
    """The database's schema."""
