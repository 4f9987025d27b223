"""Whatever happens on the wire ends in time and in a typed error."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from connectors.tps.errors import (
    GiveUpOnDossier,
    MalformedResponse,
    RetryLater,
    StopProcedure,
    TpsFailure,
)
from connectors.tps.v1.client import V1Client
from routing.failures import Cause
from tests.connectors.tps.samples import PROCEDURE, TOKEN, student_form
from tests.connectors.v1_calls import LIST, client_of, failure_at
from tests.fixtures.orphans import free_port
from tests.fixtures.raw_server import Conversation, http, once, raw_server

IMPATIENT = {"connect_timeout": 0.3, "read_timeout": 0.3, "total_timeout": 0.4}
OVER = 10.0
"""Seconds in which an impatient call must be over, on a busy machine."""

JSON = {"Content_Type": "application/json"}


def failure_with(converse: Conversation, **options: float) -> TpsFailure:
    with raw_server(converse) as server:
        return failure_at(server.url, **options)


def soon(url: str) -> TpsFailure:
    """The failure of an impatient call, which must be over in time."""
    began = time.monotonic()
    error = failure_at(url, **IMPATIENT)
    assert time.monotonic() - began < OVER
    return error


RETRIED = {100, 408, 425, 429, *range(500, 600)}


def test_every_status_on_the_wire_has_one_outcome() -> None:
    statuses = iter(range(100, 600))
    current = 0

    def converse(sock: socket.socket, _: bytes) -> None:
        sock.sendall(http(current, b"{}", Retry_After="7"))
        sock.shutdown(socket.SHUT_RDWR)

    with raw_server(converse) as server, client_of(server.url) as client:
        for current in statuses:
            with pytest.raises(TpsFailure) as caught:
                client.read(student_form(), 7, ())
            error = caught.value
            if current == 200:
                assert error.cause is Cause.TPS_MALFORMED
            elif current in RETRIED:
                assert isinstance(error, RetryLater), current
                assert error.retry_after == (None if current == 100 else 7.0)
            elif current in {401, 403} or 300 <= current < 400:
                assert isinstance(error, StopProcedure), current
            else:
                assert isinstance(error, GiveUpOnDossier), current
            # 100 is no answer yet: the connection ends before one.
            assert error.status == (None if current in {100, 200} else current)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"", Cause.TPS_RESET),
        (b"HTTP/1.1 200", Cause.TPS_NOT_JSON),
        (b"HTTP/1.1 200 OK\r\nContent-Type: app", Cause.TPS_NOT_JSON),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Cause.TPS_RESET),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", Cause.TPS_RESET),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", Cause.TPS_RESET),
        (http(200, b'{"dossier"', Content_Length="500"), Cause.TPS_TRUNCATED),
        (http(200, b"", Content_Length="500"), Cause.TPS_TRUNCATED),
        (http(200, b""), Cause.TPS_NOT_JSON),
        (http(200, b'{"dossier": {'), Cause.TPS_NOT_JSON),
        (http(200, b"<html></html>", Content_Type="text/html"), Cause.TPS_NOT_JSON),
        (http(200, b"not gzip", Content_Encoding="gzip"), Cause.TPS_NOT_JSON),
        (http(200, gzip.compress(LIST)[:-20], Content_Encoding="gzip"), Cause.TPS_NOT_JSON),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{}",
            Cause.TPS_TRUNCATED,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
            Cause.TPS_TRUNCATED,
        ),
        (http(204), Cause.TPS_REJECTED),
    ],
)
def test_an_answer_that_is_none_has_its_cause(answer: bytes, cause: Cause) -> None:
    assert failure_with(once(answer)).cause is cause


def test_nobody_listens() -> None:
    error = failure_at(f"http://127.0.0.1:{free_port()}")
    assert isinstance(error, RetryLater)
    assert error.cause is Cause.TPS_UNREACHABLE


@pytest.mark.parametrize("host", ["tps.invalid", "a..b", "x" * 300])
def test_a_name_that_does_not_resolve(host: str) -> None:
    assert failure_at(f"http://{host}").cause is Cause.TPS_UNREACHABLE


def test_a_connection_that_is_not_accepted_in_time() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)  # noqa: FBT003 (the standard library's own)
            sock.connect_ex(("127.0.0.1", port))
        try:
            assert soon(f"http://127.0.0.1:{port}").cause is Cause.TPS_TIMEOUT
        finally:
            for sock in waiting:
                sock.close()


def _drip(pieces: Iterator[bytes], over: threading.Event, sock: socket.socket) -> None:
    for piece in pieces:
        sock.sendall(piece)
        if over.wait(0.02):
            return


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 100000\r\n\r\n",
    ],
)
def test_a_peer_that_drips_for_ever_is_left(head: bytes) -> None:
    over = threading.Event()

    def converse(sock: socket.socket, _: bytes) -> None:
        sock.sendall(head)
        pieces = (b"1\r\n \r\n" if b"chunked" in head else b" " for _ in range(10_000))
        _drip(pieces, over, sock)

    with raw_server(converse) as server:
        error = soon(server.url)
        over.set()
    assert error.cause is (Cause.TPS_UNAVAILABLE if b"503" in head else Cause.TPS_TIMEOUT)


def test_redirects_do_not_stretch_the_time() -> None:
    over = threading.Event()

    def converse(sock: socket.socket, request: bytes) -> None:
        over.wait(0.2)
        sock.sendall(http(302, Location="/again"))

    with raw_server(converse) as server:
        assert soon(server.url).cause in {Cause.TPS_TIMEOUT, Cause.TPS_REDIRECTED}
        assert len(server.requests) <= 3


@pytest.mark.parametrize(
    "answer",
    [
        http(200, b" " * 20_000),
        http(200, b" ", Content_Length="20000"),
        http(200, b" ", Content_Length="9" * 30),
        b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 20_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1000\r\n" + b" " * 4096 + b"\r\n" * 1 + (b"1000\r\n" + b" " * 4096 + b"\r\n") * 4,
        http(200, gzip.compress(b" " * 20_000_000), Content_Encoding="gzip"),
    ],
)
def test_an_answer_above_the_cap_is_refused(answer: bytes) -> None:
    error = failure_with(once(answer), max_bytes=10_000)
    assert isinstance(error, MalformedResponse)
    assert error.cause is Cause.TPS_OVERSIZED


def test_an_answer_at_the_cap_is_read() -> None:
    body = LIST + b" " * (10_000 - len(LIST))
    with (
        raw_server(once(http(200, body))) as server,
        client_of(server.url, max_bytes=10_000) as client,
    ):
        assert client.list_page(PROCEDURE, page=1).pages == 0


def test_a_compressed_answer_is_read() -> None:
    answer = http(200, gzip.compress(LIST), Content_Encoding="gzip", **JSON)
    with raw_server(once(answer)) as server, client_of(server.url) as client:
        assert client.list_page(PROCEDURE, page=1).rows == ()


def _redirecting(location: str, *, then: bytes = http(200, LIST)) -> Conversation:
    def converse(sock: socket.socket, request: bytes) -> None:
        there = request.startswith(b"GET /there")
        sock.sendall(then if there else http(302, Location=location))

    return converse


@pytest.mark.parametrize(
    "location", ["/there", "/there?page=1", "there", "/thère à côté", "{}/there"]
)
def test_a_redirect_on_the_same_server_is_followed_with_the_token(location: str) -> None:
    def converse(sock: socket.socket, request: bytes) -> None:
        to = location.format(server.url)
        found = http(302, Location=to)
        sock.sendall(found if b"resultats_par_page=1000" in request else http(200, LIST))

    with raw_server(converse) as server, client_of(server.url) as client:
        assert client.list_page(PROCEDURE, page=1).pages == 0
        assert all(f"Bearer {TOKEN}".encode() in request for request in server.requests)


def test_a_redirect_to_a_page_that_is_not_the_api_s_stops_the_procedure() -> None:
    then = http(200, b"<html>Connectez-vous</html>")
    with (
        raw_server(_redirecting("/there", then=then)) as server,
        client_of(server.url) as client,
        pytest.raises(StopProcedure) as caught,
    ):
        client.list_page(PROCEDURE, page=1)
    assert caught.value.cause is Cause.TPS_REDIRECTED


def test_redirects_without_an_end_are_left() -> None:
    with raw_server(lambda sock, _: sock.sendall(http(302, Location="/on"))) as server:
        assert failure_at(server.url).cause is Cause.TPS_REDIRECTED
        assert len(server.requests) == 4


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_the_token_to_another_server(status: int) -> None:
    with raw_server(once(http(200, LIST))) as elsewhere:
        locations = [
            elsewhere.url,
            elsewhere.url.replace("http://", "//"),
            f"http://localhost:{elsewhere.port}/",
            f"http://127.0.0.1@127.0.0.1:{elsewhere.port}/",
            f"https://127.0.0.1:{elsewhere.port}/",
            "file:///etc/hostname",
            "http://[::1",
            "",
        ]
        for location in locations:
            error = failure_with(once(http(status, Location=location)))
            assert isinstance(error, StopProcedure)
            assert error.cause is Cause.TPS_REDIRECTED
        assert elsewhere.connections == 0


def test_a_token_in_the_url_follows_no_redirect_at_all() -> None:
    with (
        raw_server(_redirecting("/there")) as server,
        V1Client(base_url=server.url, token=lambda: TOKEN, token_in_query=True) as client,
        pytest.raises(StopProcedure),
    ):
        client.list_page(PROCEDURE, page=1)
    assert len(server.requests) == 1


def test_no_cookie_comes_back() -> None:
    answer = http(200, LIST, Set_Cookie="session=canari; Path=/")
    with (
        raw_server(lambda sock, _: sock.sendall(answer)) as server,
        client_of(server.url) as client,
    ):
        for _ in range(2):
            client.list_page(PROCEDURE, page=1)
        assert all(b"Cookie" not in request for request in server.requests)


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with raw_server(once(http(200, LIST))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with client_of("http://tps.invalid") as client:
            assert client.list_page(PROCEDURE, page=1).rows == ()
