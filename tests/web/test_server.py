"""Headers, limits and logs of every answer."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from tests.fixtures.web import Serve
from web import limits, protocol
from web.security import HEADERS
from web.server import Site

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/none", "/stats", "/metrics", "/ops"])
def test_every_answer_has_the_headers_and_no_cookie(serve: Serve, path: str) -> None:
    server = serve()
    for site in (server.public, server.private):
        answer = requests.get(site.url + path, timeout=5)
        assert HEADERS.keys() <= answer.headers.keys()
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert not answer.cookies
        assert "Server" not in answer.headers


def test_metrics_and_ops_are_on_the_private_port_alone(serve: Serve) -> None:
    url = serve().public.url
    assert {requests.get(url + path, timeout=5).status_code for path in ("/metrics", "/ops")} == {
        404
    }


@pytest.mark.parametrize("announced", [True, False])
def test_a_large_body_is_refused(serve: Serve, *, announced: bool) -> None:
    url = serve().public.url
    body = b"x" * (limits.BODY_BYTES + 1)
    answer = requests.post(
        f"{url}/hints/none", data=body if announced else _pieces(body), timeout=5
    )
    assert answer.status_code == (413 if announced else 404)


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 4096):
        yield body[start : start + 4096]


def test_large_headers_are_refused(serve: Serve) -> None:
    url = serve().public.url
    answer = requests.get(f"{url}/healthz", headers={"X-Large": "x" * 20_000}, timeout=5)
    assert answer.status_code == 431


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HT", b"POST /hints/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1"]
)
def test_a_slow_client_is_cut_off(
    serve: Serve, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "EXCHANGE_SECONDS", 0.2)
    with _connected(serve().public) as client:
        client.sendall(sent)
        answer = b""
        try:
            while piece := client.recv(4096):
                answer += piece
        except ConnectionResetError:
            pass
    assert b"200" not in answer


def _connected(site: Site) -> socket.socket:
    parts = urlsplit(site.url)
    assert parts.hostname is not None
    assert parts.port is not None
    return socket.create_connection((parts.hostname, parts.port), timeout=5)
