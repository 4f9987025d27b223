"""A whole database into one file, while it is used, and back into an empty database.

SQLite by its online backup, PostgreSQL by its own `pg_dump` and `pg_restore`: a file holds the
state of one instant, and what is loaded appears whole or not at all.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy import inspect
from sqlalchemy.engine import URL

from store.engine import Database
from store.models import METADATA

Progress = Callable[[int, int], None]
"""Told how much is done of how much."""

PAGES_AT_ONCE = 1_000
"""Of SQLite, copied under one lock; writers come in between."""

FILE_NAMES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}


class CopyError(Exception):
    """A database could not be copied or loaded. Its text is one line that says why."""


def dump(database: Database, path: Path, progress: Progress) -> None:
    """Write the state of one instant into the new file `path`, readable by its owner only.

    Raises:
        CopyError: it could not be done.
    """
    refuse_pooled(database)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if database.dialect == "sqlite":
        _copy_sqlite(_file_of(database.url), path, progress)
    else:
        options = ("--format=custom", "--no-owner", "--no-privileges", f"--file={path}")
        _run("pg_dump", options, database.url, progress)


def refuse_pooled(database: Database) -> None:
    """Refuse to copy through a pooler: the programs of PostgreSQL set up a session and keep it.

    Raises:
        CopyError: the address is that of a pooler.
    """
    if database.pooled:
        raise CopyError(
            "WIF_DATABASE_URL: goes through a pooler; give the address of PostgreSQL itself for "
            "this command, without ?pooling=transaction"
        )


def load(database: Database, path: Path, progress: Progress) -> None:
    """Load the file `path` into `database`, in which there is nothing.

    Raises:
        CopyError: there is something in it, or it could not be done.
    """
    refuse_pooled(database)
    refuse_filled(database)
    if database.dialect == "sqlite":
        _load_sqlite(database, path, progress)
        return
    # --file=- would print: the default is to load into --dbname.
    options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
    _run("pg_restore", (*options, str(path)), database.url, progress)


def refuse_filled(database: Database) -> None:
    """Raise where there is anything that could be overwritten.

    Raises:
        CopyError: there is.
    """
    if not is_void(database):
        raise CopyError(
            "the database is not empty: nothing is overwritten; name a new one in WIF_DATABASE_URL"
        )


def is_void(database: Database) -> bool:
    """Whether a database has no table at all; a SQLite file that is not there is not made."""
    if database.dialect == "sqlite" and not _file_of(database.url).exists():
        return True
    with database.read() as connection:
        return not inspect(connection).get_table_names()


def _load_sqlite(database: Database, path: Path, progress: Progress) -> None:
    target = _file_of(database.url)
    database.close()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.restoring")
    draft.unlink(missing_ok=True)
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy_sqlite(path, draft, progress)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _copy_sqlite(source: Path, target: Path, progress: Progress) -> None:
    if not source.is_file():
        raise CopyError(f"{source}: there is no such database")
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(
                new,
                pages=PAGES_AT_ONCE,
                progress=lambda _status, left, total: progress(total - left, total),
            )
            (found,) = new.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise CopyError(f"{source}: cannot be copied to {target} ({error})") from None
    if found != "ok":
        raise CopyError(f"{source}: is damaged; take an earlier backup")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _file_of(url: URL) -> Path:
    return Path(url.database or "")


def _run(program: str, options: Sequence[str], url: URL, progress: Progress) -> None:
    found = shutil.which(program)
    if found is None:
        raise CopyError(
            f"{program}: is not installed; Debian: apt-get install postgresql-client, of the "
            "server's version or newer"
        )
    command = [found, "--verbose", "--no-password", *options, f"--dbname={_conninfo(url)}"]
    environment = {**os.environ, "PGPASSWORD": url.password or "", "LC_ALL": "C"}
    if not url.password:
        del environment["PGPASSWORD"]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None  # noqa: S101 - asked for above
        last = _follow(process.stderr, progress)
    if process.returncode != 0:
        raise CopyError(f"{program}: ended with {process.returncode}: {last}")


def _follow(lines: Iterator[str], progress: Progress) -> str:
    """Count the tables that a program says it is at; the last line that is an error."""
    done, total, last = 0, len(METADATA.tables), ""
    for line in lines:
        if "contents of table" in line or "data for table" in line:
            done += 1
            progress(min(done, total), total)
        if "error:" in line:
            last = line.partition("error:")[2].strip()[:200]
    return last


def _conninfo(url: URL) -> str:
    """Where the database is. Without the password: a list of processes shows arguments to all."""
    given = url.translate_connect_args(database="dbname", username="user")
    given.pop("password", None)
    return make_conninfo(**{**{k: str(v) for k, v in url.query.items()}, **given})
