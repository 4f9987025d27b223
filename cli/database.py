"""`wif db`: the schema of the database."""

import typer

from cli import context
from store import schema
from tasks.runtime import Runtime

app = typer.Typer(no_args_is_help=True, help="The database's schema.")


@app.command()
def upgrade() -> None:
    """Bring the database to the newest schema. Safe to run at every start, by several at once."""
    made = Runtime(context.settings())
    try:
        schema.upgrade(made.database)
    finally:
        made.close()
    typer.echo("the database has the newest schema")


@app.callback()
def _group() -> None:
    """The database's schema."""
