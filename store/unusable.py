"""Why a database cannot be used, as a code: what the driver says may hold anything."""

import sqlite3
from enum import StrEnum

from sqlalchemy.exc import DBAPIError, SQLAlchemyError


class Unusable(StrEnum):
    """What is wrong with a database."""

    AWAY = "away"
    STARTING = "starting"
    PASSWORD = "password"  # noqa: S105 - a code
    PEER = "peer"
    ROLE = "role"
    DATABASE = "database"
    NO_ENTRY = "no-entry"
    FORBIDDEN = "forbidden"
    CONNECTIONS = "connections"
    SCHEMA = "schema"
    SLOW = "slow"
    READ_ONLY = "read-only"
    FULL = "full"
    FILE = "file"
    BUSY = "busy"
    OTHER = "other"


_BY_STATE = {
    "28P01": Unusable.PASSWORD,
    "28000": Unusable.ROLE,
    "3D000": Unusable.DATABASE,
    "42501": Unusable.FORBIDDEN,
    "42P01": Unusable.SCHEMA,
    "42703": Unusable.SCHEMA,
    "53100": Unusable.FULL,
    "53300": Unusable.CONNECTIONS,
    "57014": Unusable.SLOW,
    "57P01": Unusable.STARTING,
    "57P02": Unusable.STARTING,
    "57P03": Unusable.STARTING,
    "25006": Unusable.READ_ONLY,
}

_BY_TEXT = (
    # The driver gives no SQLSTATE for a connection that was not made; in English and French.
    (Unusable.PEER, ("peer authentication failed", "authentification peer")),
    (Unusable.PASSWORD, ("password authentication failed", "no password supplied")),
    (Unusable.PASSWORD, ("authentification par mot de passe", "aucun mot de passe")),
    (Unusable.NO_ENTRY, ("pg_hba.conf",)),
    (Unusable.CONNECTIONS, ("too many clients", "connection slots", "too many connections")),
    (Unusable.CONNECTIONS, ("trop de clients", "trop de connexions")),
    (Unusable.STARTING, ("starting up", "shutting down", "recovery", "not yet accepting")),
    (Unusable.STARTING, ("se lance", "s'arrête", "restauration")),
    (Unusable.FORBIDDEN, ("permission denied for database", "droit refusé")),
    (Unusable.ROLE, ('fatal:  role "', "not permitted to log in", "le rôle «")),
    (Unusable.DATABASE, ('fatal:  database "', "la base de données «")),
    # Of the client, which says it in English whatever language the server speaks. Last: where a
    # name has several addresses, what one of them answered says more.
    (Unusable.AWAY, ("is the server running", "timeout expired", "server closed the connection")),
    (Unusable.AWAY, ("could not translate host name", "failed to resolve host")),
    (Unusable.AWAY, ("could not receive data from server", "could not send data to server")),
)

_OF_SQLITE = {
    sqlite3.SQLITE_CANTOPEN: Unusable.FILE,
    sqlite3.SQLITE_NOTADB: Unusable.FILE,
    sqlite3.SQLITE_CORRUPT: Unusable.FILE,
    sqlite3.SQLITE_READONLY: Unusable.READ_ONLY,
    sqlite3.SQLITE_FULL: Unusable.FULL,
    sqlite3.SQLITE_BUSY: Unusable.BUSY,
}
_OTHER_SCHEMA = ("no such table", "no such column", "has no column named")
"""What SQLite says of them; it has one code for these and for mistakes in a statement."""

_PRIMARY = 0xFF
"""The bits of an extended result code of SQLite that say what kind it is."""


def why(error: SQLAlchemyError) -> Unusable:
    """What kept a statement, or a connection, from being made."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause)
    state = getattr(cause, "sqlstate", None)
    if cause is None or state is not None:
        return _BY_STATE.get(state or "", Unusable.OTHER)
    return _of_connection(str(cause).casefold())


def _of_sqlite(cause: sqlite3.Error) -> Unusable:
    if any(sign in str(cause) for sign in _OTHER_SCHEMA):
        return Unusable.SCHEMA
    code = getattr(cause, "sqlite_errorcode", 0)
    return _OF_SQLITE.get(code & _PRIMARY, Unusable.OTHER)


def _of_connection(text: str) -> Unusable:
    found = (kind for kind, signs in _BY_TEXT if any(sign in text for sign in signs))
    return next(found, Unusable.OTHER)
