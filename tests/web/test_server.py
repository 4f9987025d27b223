"""Headers, limits and logs of every answer."""

import logging
import socket
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import select

from store.base import Base
from tests.fixtures.harness import Harness
from tests.fixtures.processes import until
from tests.fixtures.web import Serve
from web import limits, protocol
from web.security import HEADERS
from web.server import Site, WebServer

ENTRY = "correct-horse-battery"
VISITOR = "192.0.2.77"

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


def test_nobody_is_sent_to_another_host(serve: Serve) -> None:
    server = serve()
    for site, path in ((server.public, "/stats/"), (server.private, "/ops/")):
        answer = requests.get(
            site.url + path,
            headers={"Host": "elsewhere.example"},
            allow_redirects=False,
            timeout=5,
        )
        assert answer.status_code in {401, 404}
        assert "elsewhere" not in answer.headers.get("Location", "")


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


def test_a_client_that_never_reads_its_answers_is_cut_off(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = b64encode(f"ops:{ENTRY}".encode()).decode()
    # Some hundred kilobytes each: more than a system keeps for who reads later.
    asked = f"GET /ops/couverture HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {login}\r\n\r\n"
    server = serve(ops_password=ENTRY)
    _visit(server)
    monkeypatch.setattr(protocol, "EXCHANGE_SECONDS", 1.0)
    with _connected(server.private, room=4_096) as client:
        client.sendall(asked.encode() * 50)
        # The client cannot tell: what its system has no room for would come before the end.
        kept = server.private.server.server_state.connections
        until(lambda: bool(kept), "the connection is there")
        until(lambda: not kept, "it is cut")


def test_no_page_writes_anything(serve: Serve, harness: Harness) -> None:
    harness.file()
    harness.run()
    server = serve(ops_password=ENTRY)
    before = _everything(harness)
    _visit(server)
    assert _everything(harness) == before


@pytest.mark.parametrize("path", ["/stats", "/none"])
def test_no_log_names_a_visitor(
    serve: Serve, harness: Harness, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        server = serve(ops_password=ENTRY)
        _visit(server)
        with _connected(server.public) as client:
            visitor = f"127.0.0.1:{client.getsockname()[1]}"
            client.sendall(f"GET {path} HTTP/1.1\r\nX-Forwarded-For: {VISITOR}\r\n\r\n".encode())
            client.recv(4096)
            client.sendall(b"no HTTP at all\r\n\r\n")
            client.recv(4096)
    assert VISITOR not in caplog.text
    assert visitor not in caplog.text
    assert visitor.rpartition(":")[2] not in caplog.text


def _visit(server: WebServer) -> None:
    """Look at every page."""
    for path in ("/stats", "/stats.csv", "/stats.json", "/healthz", "/readyz"):
        assert requests.get(server.public.url + path, timeout=10).ok
    for path in ("/ops", "/ops/couverture", "/metrics", "/readyz"):
        answer = requests.get(server.private.url + path, auth=("ops", ENTRY), timeout=10)
        assert answer.ok


def _everything(harness: Harness) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with harness.runtime.database.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in Base.metadata.sorted_tables
        }


def _connected(site: Site, *, room: int | None = None) -> socket.socket:
    """A connection, with `room` for bytes that nobody has read yet."""
    parts = urlsplit(site.url)
    assert parts.hostname is not None
    assert parts.port is not None
    client = socket.socket()
    client.settimeout(10)
    if room is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    client.connect((parts.hostname, parts.port))
    return client
