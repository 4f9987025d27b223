"""One end for everything that is read from outside, however slowly it comes.

A socket's time-out bounds the silence between two bytes only. A peer that drips a byte a
second, in its headers, its body or the lines of a reply, would hold a worker for ever, and
one that floods would fill its memory. So whatever is read goes through `reader`, and each
exchange is made within a deadline and a number of bytes:

    with within(15.0, most_bytes=64_000):
        status, text = smtp.getreply()

HTTP uses it through `connectors.http`, SMTP through `connectors.mail.smtp_session`.
"""

import io
import math
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class TooManyBytes(OSError):
    """A peer sent more than its answer may hold."""


@dataclass(slots=True)
class _Bounds:
    """When an exchange ends, by the monotonic clock, and how many bytes it may still bring."""

    ends_at: float = math.inf
    bytes_left: float = math.inf


_bounds: ContextVar[_Bounds | None] = ContextVar("_bounds", default=None)


@contextmanager
def within(seconds: float, *, most_bytes: float = math.inf) -> Iterator[None]:
    """Let what is read in this block be over after `seconds`, and hold at most `most_bytes`.

    What is late raises `TimeoutError`, as a silent peer does; what is too much `TooManyBytes`.
    A block inside another one cannot last longer than the outer one.
    """
    outer = _bounds.get()
    ends_at = time.monotonic() + seconds
    token = _bounds.set(_Bounds(min(ends_at, outer.ends_at) if outer else ends_at, most_bytes))
    try:
        yield
    finally:
        _bounds.reset(token)


def remaining(at_most: float = math.inf) -> float:
    """Seconds that are left, `at_most` where there is no nearer deadline.

    Raises:
        TimeoutError: none are.
    """
    bounds = _bounds.get()
    left = min(at_most, bounds.ends_at - time.monotonic()) if bounds else at_most
    if left <= 0:
        raise TimeoutError
    return left


SocketAddress = tuple[socket.AddressFamily, tuple[Any, ...]]
"""A family and an address as the socket of that family takes it."""

SocketOption = tuple[int, int, int | bytes]
"""As `setsockopt` takes it."""


def connect_to(
    addresses: Sequence[SocketAddress],
    *,
    longest: float = math.inf,
    options: Sequence[SocketOption] = (),
) -> socket.socket:
    """A TCP connection to the first of `addresses` that answers, within the bounds in force.

    Args:
        addresses: in the order in which they are tried.
        longest: seconds to connect to one of them.
        options: of the socket.

    Raises:
        OSError: none answered; `TimeoutError` when the time ran out.
    """
    failure: OSError = ConnectionError("the name has no address")
    for family, address in addresses:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            for option in options:
                sock.setsockopt(*option)
            _set_timeout(sock, longest)
            sock.connect(address)
            # What comes next, such as the handshake of TLS, has only what is left.
            _set_timeout(sock, longest)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure


def _set_timeout(sock: socket.socket, longest: float) -> None:
    left = remaining(longest)
    sock.settimeout(None if left == math.inf else left)


def reader(
    sock: socket.socket, incoming: io.RawIOBase | None = None, *, silence: float | None = None
) -> io.BufferedReader:
    """What comes from `sock` as a file that keeps to the bounds in force at each read.

    Args:
        sock: a connected socket, in clear or under TLS.
        incoming: its raw stream where a library has made one already.
        silence: seconds between two reads after which the peer counts as gone, too.
    """
    stream = incoming or socket.SocketIO(sock, "r")
    return io.BufferedReader(_BoundedStream(sock, stream, math.inf if silence is None else silence))


class _BoundedStream(io.RawIOBase):
    def __init__(self, sock: socket.socket, incoming: io.RawIOBase, silence: float) -> None:
        self._sock = sock
        self._incoming = incoming
        self._silence = silence

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        _set_timeout(self._sock, self._silence)
        count = self._incoming.readinto(buffer)
        bounds = _bounds.get()
        if bounds is not None:
            bounds.bytes_left -= count or 0
            if bounds.bytes_left < 0:
                raise TooManyBytes
        return count

    def close(self) -> None:
        super().close()
        self._incoming.close()
