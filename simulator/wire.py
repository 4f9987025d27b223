"""Answers on the wire: whole ones, and those that break off, drip or never end."""

import asyncio
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.iostream import IOStream, StreamClosedError

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"

DRIP_PAUSE = 0.05
"""Seconds between two bytes of an answer that drips."""

_BLOCK = b" " * 65_536
_NO_LINGER = struct.pack("ii", 1, 0)


def send(
    request: HTTPServerRequest,
    status: int,
    body: bytes,
    kind: str,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Answer as a server should."""
    more = HTTPHeaders({"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})})
    connection = _connection(request)
    connection.write_headers(ResponseStartLine("HTTP/1.1", status, _phrase(status)), more, body)
    connection.finish()


def reset(request: HTTPServerRequest) -> None:
    """Cut the connection with a TCP reset."""
    stream = _detached(request)
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    stream.close()


async def truncate(request: HTTPServerRequest, body: bytes) -> None:
    """Announce `body`, send half of it and close."""
    stream = _detached(request)
    with suppress(StreamClosedError):
        await stream.write(_head(f"Content-Length: {len(body)}") + body[: len(body) // 2])
    stream.close()


async def drip(request: HTTPServerRequest, body: bytes) -> None:
    """Send `body` one byte at a time."""
    stream = _detached(request)
    with suppress(StreamClosedError):
        await stream.write(_head(f"Content-Length: {len(body)}"))
        for byte in body:
            await asyncio.sleep(DRIP_PAUSE)
            await stream.write(bytes([byte]))
    stream.close()


async def never_end(request: HTTPServerRequest) -> None:
    """Send blanks until the client has had enough."""
    stream = _detached(request)
    with suppress(StreamClosedError):
        await stream.write(_head("Transfer-Encoding: chunked"))
        while True:
            await stream.write(b"%x\r\n%b\r\n" % (len(_BLOCK), _BLOCK))
    stream.close()


def _head(length: str) -> bytes:
    lines = ("HTTP/1.1 200 OK", f"Content-Type: {JSON}", length, "", "")
    return "\r\n".join(lines).encode()


def _detached(request: HTTPServerRequest) -> IOStream:
    return _connection(request).detach()


def _connection(request: HTTPServerRequest) -> HTTP1Connection:
    if not isinstance(request.connection, HTTP1Connection):
        raise TypeError("the simulator speaks HTTP/1.1")
    return request.connection


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unnamed"
