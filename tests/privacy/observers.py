"""Onlookers: what Redis is told, what PostgreSQL is asked, what the kernel shows of processes."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg
import redis
from sqlalchemy import make_url

PROC = Path("/proc")


class Monitor:
    """Records every command that a Redis gets, as `MONITOR` tells them."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)
        self._socket.sendall(f"AUTH {parts.password}\r\nMONITOR\r\n".encode())
        self._socket.settimeout(None)
        self._pieces: list[bytes] = []
        self._thread = threading.Thread(target=self._record)

    @property
    def recorded(self) -> bytes:
        """All of it so far."""
        return b"".join(self._pieces)

    def _record(self) -> None:
        with suppress(OSError):
            while piece := self._socket.recv(65_536):
                self._pieces.append(piece)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


def redis_content(url: str) -> dict[str, bytes]:
    """Every key of every database with its value, as it reads and as Redis serialises it."""
    found: dict[str, bytes] = {}
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(count=1000):
            read = _READERS.get(bytes(client.type(key)))
            value = read(client, key) if read else []
            found[key.decode("utf-8", "replace")] = b"\n".join(
                [key, *value, client.dump(key) or b""]
            )
    return found


_READERS: dict[bytes, Callable[[Any, bytes], list[bytes]]] = {
    # One that ran out since it was listed; what wrote it is among what was monitored.
    b"string": lambda client, key: [client.get(key) or b""],
    b"list": lambda client, key: client.lrange(key, 0, -1),
    b"set": lambda client, key: list(client.smembers(key)),
    b"zset": lambda client, key: client.zrange(key, 0, -1),
    b"hash": lambda client, key: [part for pair in client.hgetall(key).items() for part in pair],
    b"stream": lambda client, key: [repr(client.xrange(key)).encode()],
}


def activity(url: str) -> bytes:
    """What every session of the cluster runs or ran last, and under which name."""
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT * FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        return repr(rows.fetchall()).encode()


def descendants(pid: int) -> list[int]:
    """A process and all that it started."""
    parents = dict(_parents())
    wanted = {pid}
    while grown := {child for child, parent in parents.items() if parent in wanted} - wanted:
        wanted |= grown
    return sorted(wanted)


def _parents() -> Iterator[tuple[int, int]]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                yield int(entry.name), int(fields[1])


def titles(pid: int) -> dict[str, bytes]:
    """What anybody can read of a process: command line, title, environment, limits."""
    found: dict[str, bytes] = {}
    for name in ("cmdline", "comm", "environ", "limits"):
        with suppress(OSError):
            found[name] = (PROC / str(pid) / name).read_bytes()
    return found


def holder(candidates: list[int], port: int) -> int | None:
    """Which process holds the connection whose near end is the local `port`."""
    inodes = {
        fields[9]
        for line in (PROC / "net" / "tcp").read_text().splitlines()[1:]
        if int((fields := line.split())[1].rpartition(":")[2], 16) == port
    }
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for pid in candidates:
        with suppress(OSError):
            if any(str(link.readlink()) in wanted for link in (PROC / str(pid) / "fd").iterdir()):
                return pid
    return None
