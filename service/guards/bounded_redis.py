"""Connections to Redis whose whole answer comes within the deadline in force.

The client's own time-out bounds the silence between two bytes: a server that drips a byte each
half second held a worker for as long as it liked.
"""

import math
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.connection import (
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelManagedConnection

from config.broker_url import SentinelAddress, through_sentinel
from connectors.deadline import remaining

FAULTS: tuple[type[Exception], ...] = (redis.RedisError, OSError)
"""What asking a server raises when it is away, too slow or refuses."""


class _BoundedSocket:
    """A socket that waits for a byte no longer than the deadline in force."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._silence = sock.gettimeout()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._sock, name)

    def settimeout(self, seconds: float | None) -> None:
        """Seconds between two bytes; the deadline may come before."""
        self._silence = seconds
        self._sock.settimeout(seconds)

    def recv(self, *arguments: int) -> bytes:
        """As of a socket.

        Raises:
            TimeoutError: nothing came in time.
        """
        self._limit()
        return self._sock.recv(*arguments)

    def recv_into(self, *arguments: Any) -> int:  # noqa: ANN401
        """As of a socket.

        Raises:
            TimeoutError: nothing came in time.
        """
        self._limit()
        return self._sock.recv_into(*arguments)

    def sendall(self, content: bytes) -> None:
        """As of a socket.

        Raises:
            TimeoutError: the peer did not take it in time.
        """
        self._limit()
        self._sock.sendall(content)

    def _limit(self) -> None:
        left = remaining(math.inf if self._silence is None else self._silence)
        self._sock.settimeout(None if left == math.inf else left)


class _Bounded:
    """In front of one of the client's connections."""

    def _connect(self) -> Any:  # noqa: ANN401
        return _BoundedSocket(super()._connect())  # type: ignore[misc]


class _BoundedTcp(_Bounded, Connection):
    pass


class _BoundedTls(_Bounded, SSLConnection):
    pass


class _BoundedUnix(_Bounded, UnixDomainSocketConnection):
    pass


class _BoundedManaged(_Bounded, SentinelManagedConnection):
    pass


_CONNECTIONS = {"redis": _BoundedTcp, "rediss": _BoundedTls, "unix": _BoundedUnix}


def redis_url(url: str) -> str:
    """The broker's URL in the words of the client: Celery calls a Unix socket otherwise."""
    parts = urlsplit(url)
    if parts.scheme != "redis+socket":
        return url
    database = parse_qs(parts.query).get("virtual_host", ["0"])[0].lstrip("/")
    return f"unix://{parts.path}?db={database}"


def connect(url: str, *, seconds: float) -> redis.Redis:
    """A client of the broker that keeps to the deadline in force (`connectors.deadline.within`).

    Args:
        url: as in `WIF_BROKER_URL`.
        seconds: that a connection and the silence between two bytes may take.
    """
    if behind := through_sentinel(url):
        return _of_master(behind, seconds)
    address = redis_url(url)
    kind = _CONNECTIONS[urlsplit(address).scheme]
    pool = ConnectionPool.from_url(address, connection_class=kind, **_bounds(seconds))
    return redis.Redis.from_pool(pool)


def sentinels(address: SentinelAddress, *, seconds: float) -> list[redis.Redis]:
    """A client of each Sentinel, which the caller closes."""
    login = {"password": address.sentinel_password, **_bounds(seconds)}
    return [
        redis.Redis.from_pool(
            ConnectionPool(connection_class=_BoundedTcp, host=host, port=port, **login)
        )
        for host, port in address.hosts
    ]


class _OfMaster(redis.Redis):
    """A client of the server that is the master; it closes those of the Sentinels, too."""

    asked: Sequence[redis.Redis] = ()

    def close(self) -> None:
        super().close()
        for each in self.asked:
            each.close()


def _of_master(address: SentinelAddress, seconds: float) -> redis.Redis:
    manager = Sentinel([])  # type: ignore[no-untyped-call]
    # Its own clients of Sentinels would not keep to the deadline in force.
    manager.sentinels = sentinels(address, seconds=seconds)
    client: _OfMaster = manager.master_for(  # type: ignore[no-untyped-call]
        address.master,
        redis_class=_OfMaster,
        connection_class=_BoundedManaged,
        db=address.database,
        username=address.user,
        password=address.password,
        **_bounds(seconds),
    )
    client.asked = tuple(manager.sentinels)
    return client


def _bounds(seconds: float) -> dict[str, Any]:
    return {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 0),
        "decode_responses": True,
        # What others wrote must not end a task: it looks like any other value that is not ours.
        "encoding_errors": "replace",
    }
