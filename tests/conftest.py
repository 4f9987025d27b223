"""What every test stands on: no network but loopback, no settings but its own, real servers."""

import gc
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zlib import crc32

import hypothesis
import pytest
import time_machine
from hypothesis import configuration as hypothesis_home

from config import settings
from store.engine import Database
from store.schema import upgrade
from tests.fixtures.logging_state import logging_restored

if TYPE_CHECKING:
    from tests.fixtures.postgres import Databases


CACHE = Path(__file__).resolve().parent.parent / ".cache"
MEMORY = Path("/dev/shm")  # noqa: S108
ENOUGH_MEMORY = 4 * 2**30


def _temporary() -> Path:
    """Where temporary files lie: in memory where that has room and lets programs run.

    What is written through to a disk takes longer than most tests; pytest removes what the tests
    that passed have left.
    """
    memory = os.statvfs(MEMORY) if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
    roomy = memory is not None and memory.f_bavail * memory.f_frsize >= ENOUGH_MEMORY
    if memory is None or not roomy or memory.f_flag & os.ST_NOEXEC:
        return CACHE / "tmp"
    return MEMORY / f"wif-tests-{os.getuid()}-{crc32(bytes(CACHE)):08x}"


# Modules and tests, which stay to the end, are no garbage: to look through them again and again
# takes a tenth of the run.
gc.disable()

# Everything temporary, of this process and of those it starts, lies there.
TEMPORARY = _temporary()
TEMPORARY.mkdir(mode=0o755, parents=True, exist_ok=True)
os.environ["TMPDIR"] = str(TEMPORARY)
tempfile.tempdir = str(TEMPORARY)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A run in the background ignores Ctrl-C, and would hand that on to the programs it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

_FIXTURES = (
    "harness",
    "logs",
    "postgres",
    "redis",
    "redis_state",
    "scheduling",
    "shared_statements",
    "smtp",
    "tps",
    "web",
    "webhook",
)
pytest_plugins = [f"tests.fixtures.{name}" for name in _FIXTURES]

hypothesis_home.set_hypothesis_home_dir(CACHE / "hypothesis")
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Look for garbage from now on, ten times as rarely as usual."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()


_GIVEN_HOSTS = {
    urlsplit(os.environ[name]).hostname or "localhost"
    for name in ("WIF_BROKER_URL", "WIF_DATABASE_URL")
    if os.environ.get(name)
}
"""Hosts of the servers that the run was given."""


CLOCK = os.environ.get("TEST_CLOCK")
"""An instant (ISO 8601) at which every test believes that it begins; the clock goes on."""


@pytest.fixture(autouse=True)
def _other_clock() -> Iterator[None]:
    """Another day than today, where the run asks for one: no test may depend on which it is."""
    if CLOCK is None:
        yield
        return
    with time_machine.travel(datetime.fromisoformat(CLOCK), tick=True):
        yield


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches a test."""
    for name in list(os.environ):
        if name.upper().startswith("WIF_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv(settings.DOTENV, os.devnull)


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """A test that runs a program's entry in this process leaves logging as it was."""
    with logging_restored():
        yield


def _is_near(host: object) -> bool:
    if not isinstance(host, str) or host in {"", "localhost"} or host in _GIVEN_HOSTS:
        return True
    try:
        address = ip_address(host.split("%", 1)[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _given_addresses() -> set[str]:
    """The addresses of the servers that the run was given, as the kernel sees them."""
    return {
        str(found[4][0])
        for host in _GIVEN_HOSTS
        for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    }


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """Nothing leaves the machine: other addresses are unreachable, other names do not resolve."""
    near = _given_addresses()
    resolve = socket.getaddrinfo

    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def check(sock: socket.socket, address: Any) -> None:  # noqa: ANN401
        inet = sock.family in {socket.AF_INET, socket.AF_INET6}
        if inet and not (_is_near(address[0]) or address[0] in near):
            raise ConnectionRefusedError("tests reach loopback only")

    def near_connect(sock: socket.socket, address: Any) -> None:  # noqa: ANN401
        check(sock, address)
        connect(sock, address)

    def near_connect_ex(sock: socket.socket, address: Any) -> int:  # noqa: ANN401
        check(sock, address)
        return connect_ex(sock, address)

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        name = host.decode() if isinstance(host, bytes) else host
        if not (_is_near(name) or name in near):
            raise socket.gaierror(socket.EAI_NONAME, "tests resolve loopback names only")
        return resolve(host, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", near_connect)
        patch.setattr(socket.socket, "connect_ex", near_connect_ex)
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


@pytest.fixture(params=["sqlite", "postgres"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Each database engine in turn."""
    return str(request.param)


@pytest.fixture
def empty_database_url(
    engine_name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database, on each engine in turn."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path / 'wif.sqlite3'}"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every migration and no row; tests copy it."""
    path = tmp_path_factory.mktemp("migrated") / "wif.sqlite3"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_databases: "Databases") -> str:
    """The URL of a PostgreSQL database with every migration and no row; tests copy it."""
    url = postgres_databases.create()
    _migrate(url)
    return url


def _migrate(url: str) -> None:
    database = Database(url)
    upgrade(database)
    database.close()


@pytest.fixture
def database_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The SQLAlchemy URL of a migrated database for one test, on each engine in turn."""
    if engine_name == "sqlite":
        copy = shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "wif.sqlite3")
        yield f"sqlite:///{copy}"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    url = databases.create(template=request.getfixturevalue("migrated_postgres"))
    yield url
    databases.drop(url)
