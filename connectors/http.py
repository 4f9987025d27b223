"""HTTP as `requests` speaks it, within the bounds of `connectors.deadline`.

Redirects are off, cookies are not kept, and whole answers end on time: what is replaced is how
urllib3 connects, and the stream that http.client reads an answer from.
"""

import math
import os
import socket
from collections.abc import Sequence
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from connectors import deadline
from connectors.addresses import look_up
from connectors.deadline import SocketAddress

CHUNK = 65_536


class BoundedSession(requests.Session):
    """A session whose answers keep to the bounds in force; nothing else of it is changed.

    Args:
        addresses: connect to these and to no other, whatever the host's name says by then; None
            to resolve it. Certificate, SNI and `Host` are those of the name. No proxy of the
            environment is used, its authorities are.
    """

    def __init__(self, *, addresses: Sequence[SocketAddress] | None = None) -> None:
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.trust_env = addresses is None
        if addresses is not None:
            self.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        for scheme in ("http://", "https://"):
            self.mount(scheme, _BoundedAdapter(addresses))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: what `requests` does to look ahead reads the body of a redirect whole."""


def request_once(
    method: str,
    url: str,
    *,
    seconds: float,
    most_bytes: int,
    addresses: Sequence[SocketAddress] | None = None,
    **given: Any,  # noqa: ANN401
) -> requests.Response:
    """The status and the headers of one answer, over a connection of its own.

    Args:
        method: of HTTP.
        url: of the peer.
        seconds: for the whole exchange, the look-up, connecting and the last header included.
        most_bytes: of the answer.
        addresses: as of `BoundedSession`.
        given: what `requests` sends: `data`, `json`, `headers`.

    Raises:
        requests.RequestException: there is no answer.
        OSError: it came too late or was too much.
        ValueError: the URL is none.
    """
    with (
        deadline.within(seconds, most_bytes=most_bytes),
        BoundedSession(addresses=addresses) as session,
        session.request(
            method, url, timeout=seconds, stream=True, allow_redirects=False, **given
        ) as answer,
    ):
        return answer


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
    addresses: Sequence[SocketAddress] | None = None

    def _new_conn(self) -> socket.socket:
        longest = self.timeout if isinstance(self.timeout, int | float) else math.inf
        try:
            addresses = self.addresses
            if addresses is None:
                addresses = look_up(self._dns_host.strip("[]"), self.port)
            return deadline.connect_to(
                addresses, longest=longest, options=self.socket_options or ()
            )
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no connection in time") from error
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error


class _BoundedTlsConnection(_BoundedConnection, HTTPSConnection):
    pass


class _BoundedPool(HTTPConnectionPool):
    ConnectionCls = _BoundedConnection


class _BoundedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTlsConnection


class _BoundedAdapter(HTTPAdapter):
    def __init__(self, addresses: Sequence[SocketAddress] | None) -> None:
        self._pools = _pools(addresses)
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(addresses: Sequence[SocketAddress] | None) -> dict[str, type[HTTPConnectionPool]]:
    """The pools of each scheme, with connections to `addresses` when these are given."""
    pools: dict[str, type[HTTPConnectionPool]] = {"http": _BoundedPool, "https": _BoundedTlsPool}
    if addresses is None:
        return pools
    return {scheme: _pinned(pool, addresses) for scheme, pool in pools.items()}


def _pinned(
    pool: type[HTTPConnectionPool], addresses: Sequence[SocketAddress]
) -> type[HTTPConnectionPool]:
    connection = type("Pinned", (pool.ConnectionCls,), {"addresses": tuple(addresses)})
    return type("PinnedPool", (pool,), {"ConnectionCls": connection})
