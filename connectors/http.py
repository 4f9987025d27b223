"""HTTP as `requests` speaks it, within the bounds of `connectors.deadline`.

Redirects are off, cookies are not kept, and whole answers end on time: the one thing that is
replaced is the stream that http.client reads an answer from.
"""

from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from connectors import deadline

CHUNK = 65_536


class BoundedSession(requests.Session):
    """A session whose answers keep to the bounds in force; nothing else of it is changed."""

    def __init__(self) -> None:
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, _BoundedAdapter())

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: what `requests` does to look ahead reads the body of a redirect whole."""


def read_body(response: requests.Response, *, most: int) -> bytes | None:
    """The decoded body of a streamed answer, None when it has more than `most` bytes.

    Raises:
        requests.RequestException: it ended early or cannot be decoded.
        OSError: it came too late or was too much.
    """
    announced = response.headers.get("Content-Length", "")
    if announced.isascii() and announced.isdigit() and float(announced) > most:
        return None
    body = bytearray()
    for chunk in response.iter_content(CHUNK):
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(sock, *args, **options)
        self.fp = deadline.reader(sock, self.fp.detach(), silence=sock.gettimeout())


class _BoundedConnection(HTTPConnection):
    response_class = _BoundedResponse


class _BoundedTlsConnection(HTTPSConnection):
    response_class = _BoundedResponse


class _BoundedPool(HTTPConnectionPool):
    ConnectionCls = _BoundedConnection


class _BoundedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTlsConnection


class _BoundedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().init_poolmanager(*args, **options)
        self.poolmanager = _bounded(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401
        return _bounded(super().proxy_manager_for(proxy, **options))


def _bounded(manager: PoolManager) -> PoolManager:
    manager.pool_classes_by_scheme = {"http": _BoundedPool, "https": _BoundedTlsPool}
    return manager
