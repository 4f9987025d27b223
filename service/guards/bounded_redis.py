"""Connections to Redis whose whole answer comes within the deadline in force.

The client's own time-out bounds the silence between two bytes: a server that drips a byte each
half second held a worker for as long as it liked.
"""

import math
import socket
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

from connectors.deadline import remaining


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
    address = redis_url(url)
    pool = ConnectionPool.from_url(
        address,
        connection_class=_CONNECTIONS[urlsplit(address).scheme],
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
    return redis.Redis.from_pool(pool)
