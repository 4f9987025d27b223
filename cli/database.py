"""`wif db`: the schema of the database."""

import typer

from cli import context
from cli.command_error import CommandError
from service.runtime import Runtime
from store import schema
from store.grants import grant

app = typer.Typer(no_args_is_help=True, help="The database's schema.")


@app.command()
def upgrade() -> None:
    """Bring the database to the newest schema, and let WIF_DATABASE_ROLE work with it.

    Safe to run at every start, by several at once, and while workers of this version or the one
    before run. It goes forward only.
    """
    made = Runtime(context.settings())
    try:
        schema.upgrade(made.database, progress=typer.echo)
        role = made.settings.database_role
        if role and made.database.dialect == "postgresql":
            with made.database.begin() as connection:
                grant(connection, role)
    except schema.SchemaError as error:
        raise CommandError(str(error), code=2) from None
    finally:
        made.close()
    typer.echo(f"the database has the newest schema, {schema.NEWEST}")


@app.callback()
def _group() -> None:
    """The database's schema."""
