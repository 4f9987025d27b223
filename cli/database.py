"""`wif db`: the schema of the database."""

import typer

from cli import context
from service.runtime import Runtime
from store import schema
from store.grants import grant

app = typer.Typer(no_args_is_help=True, help="The database's schema.")


@app.command()
def upgrade() -> None:
    """Bring the database to the newest schema, and let WIF_DATABASE_ROLE work with it.

    Safe to run at every start, by several at once.
    """
    made = Runtime(context.settings())
    try:
        schema.upgrade(made.database)
        role = made.settings.database_role
        if role and made.database.dialect == "postgresql":
            with made.database.begin() as connection:
                grant(connection, role)
    finally:
        made.close()
    typer.echo("the database has the newest schema")


@app.callback()
def _group() -> None:
    """The database's schema."""
