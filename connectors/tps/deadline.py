"""An end to one whole answer, however slowly it comes.

A read time-out only bounds the silence between two bytes: a peer that drips one byte
at a time, in its headers or in its body, would hold a worker for ever.
"""

import io
import math
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, cast

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from requests.structures import CaseInsensitiveDict

_ends: ContextVar[float] = ContextVar("_ends", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let every answer that is read here be over `seconds` from now.

    What is late raises the same time-out as a silent peer does.
    """
    token = _ends.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends.reset(token)


class _TimedReader(io.RawIOBase):
    """What comes from a socket, until the deadline."""

    def __init__(self, sock: socket.socket, incoming: io.RawIOBase) -> None:
        self._sock = sock
        self._incoming = incoming
        self._patience = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        left = _ends.get() - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if self._patience is None or left < self._patience:
            self._sock.settimeout(left if left < math.inf else None)
        return self._incoming.readinto(buffer)

    def close(self) -> None:
        super().close()
        self._incoming.close()


class _TimedResponse(HTTPResponse):
    """An answer whose headers and body are read until the deadline."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_TimedReader(sock, self.fp.detach()))


class _TimedConnection(HTTPConnection):
    response_class = _TimedResponse


class _TimedTlsConnection(HTTPSConnection):
    response_class = _TimedResponse


class _TimedPool(HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _TimedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTlsConnection


class TimedAdapter(HTTPAdapter):
    """The adapter of requests for one server: it retries nothing and knows the deadline.

    For one server much is the same at every request. What requests would find out anew
    each time took a quarter of the time of its `send`.
    """

    _connections: ConnectionPool | None = None
    _names_server: bool | None = None

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        """Build the pools of direct connections."""
        super().init_poolmanager(*args, **options)
        self.poolmanager = _timed(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401
        """The pools of connections through `proxy`."""
        return _timed(super().proxy_manager_for(proxy, **options))

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> ConnectionPool:  # noqa: ANN401
        """The connections to the server, looked up once: that costs a tenth of a request."""
        if self._connections is None:
            self._connections = super().get_connection_with_tls_context(*args, **options)
        return self._connections

    def request_url(self, request: PreparedRequest, proxies: Mapping[str, str] | None) -> str:
        """What stands in the first line of a request: proxies want the whole address."""
        url = request.url or ""
        path = url.find("/", len("https://"))
        if self._names_server is None or path < 0:
            found = super().request_url(request, proxies)
            self._names_server = not found.startswith("/")
            return found
        return url if self._names_server else url[path:]

    def build_response(self, request: PreparedRequest, answer: BaseHTTPResponse) -> Response:
        """The answer as requests gives it, without the cookies and the guess of an encoding."""
        response = Response()
        response.status_code = answer.status
        # As urllib3 has them: another dictionary without case would be made for nothing.
        response.headers = cast("CaseInsensitiveDict[str]", answer.headers)
        response.raw = answer
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Close the kept connections; the next request opens one again."""
        self._connections = None
        self._names_server = None
        super().close()


def _timed(manager: PoolManager) -> PoolManager:
    manager.pool_classes_by_scheme = {"http": _TimedPool, "https": _TimedTlsPool}
    return manager
