"""What is said of a database that cannot be used: one line, what is wrong and what to do."""

import typer
from sqlalchemy.exc import SQLAlchemyError

from config import logs
from config.messages import mark, tr
from config.settings import Settings
from store import schema
from store.engine import Database
from store.unusable import Unusable, why

log = logs.get_logger("cli")

_SAID = {
    Unusable.AWAY: mark(
        "the database does not answer: does it run, and are host and port in WIF_DATABASE_URL "
        "right?"
    ),
    Unusable.STARTING: mark("the database is starting or stopping: try again in a moment"),
    Unusable.PASSWORD: mark(
        "the database refuses the role or its password: see WIF_DATABASE_URL, or the file of "
        "WIF_DATABASE_URL_FILE"
    ),
    Unusable.PEER: mark(
        "the database lets only the account of the same name in by its socket: run the command as "
        "that account (`runuser -u wif -- wif …`)"
    ),
    Unusable.ROLE: mark(
        "the database has no such role, or it may not log in: make it (`createuser`), or correct "
        "WIF_DATABASE_URL"
    ),
    Unusable.DATABASE: mark(
        "the server has no database of that name: make it (`createdb --owner=ROLE NAME`), or "
        "correct WIF_DATABASE_URL"
    ),
    Unusable.NO_ENTRY: mark(
        "the database lets nobody in from here with that role: add a line to its pg_hba.conf"
    ),
    Unusable.FORBIDDEN: mark(
        "the role may not do that in the database: run the command as the owner of the database "
        "and its tables, or name the role in WIF_DATABASE_ROLE for `wif db upgrade`"
    ),
    Unusable.CONNECTIONS: mark(
        "the database takes no more connections: raise max_connections, or use a pooler "
        "(docs/operations.md)"
    ),
    Unusable.SCHEMA: mark(
        "the database has no tables, or older ones than this program: run `wif db upgrade`"
    ),
    Unusable.SLOW: mark("the database took too long for a statement: is it overloaded?"),
    Unusable.READ_ONLY: mark(
        "the database may only be read: is it a replica, or a file of another account?"
    ),
    Unusable.FULL: mark("the disk of the database is full: make room"),
    Unusable.FILE: mark(
        "the file of the database cannot be opened, or is no database: see WIF_DATABASE_URL and "
        "WIF_VAR_DIR"
    ),
    Unusable.BUSY: mark("the database is locked by another program: try again in a moment"),
}


def explained(error: SQLAlchemyError) -> str:
    """What is wrong, and what to do; never what the driver says, which may hold anything."""
    said = _SAID.get(why(error))
    if said is None:
        return tr(
            "the database cannot be used ({kind}): see WIF_DATABASE_URL, and `wif doctor`",
            kind=type(error).__name__,
        )
    return tr(said)


def warn(settings: Settings) -> None:
    """Say what is wrong with the database of a service, which waits until it is mended.

    In production it is a line of the log, with a code. A process that was given no database
    needs none.
    """
    if settings.in_production and settings.database_url is None:
        return
    database = Database(settings.database)
    try:
        reason = None if schema.is_current(database) else Unusable.SCHEMA
        problem = tr(_SAID[Unusable.SCHEMA])
    except SQLAlchemyError as error:
        reason, problem = why(error), explained(error)
    finally:
        database.close()
    if reason is None:
        return
    if settings.in_production:
        log.warning("database-unusable", reason=reason.value)
    else:
        typer.echo(tr("{problem}; meanwhile it is waited for", problem=problem), err=True)
