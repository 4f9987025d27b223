"""One exchange over HTTP is over at its deadline, whatever it waits for."""

import socket
from collections.abc import Iterator

import pytest
import requests
from pytest_httpserver import HTTPServer

from connectors.http import request_once

ADDRESSES = 5


@pytest.fixture
def deaf() -> Iterator[tuple[str, int]]:
    """An address at which connecting takes for ever."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)  # noqa: FBT003 (the standard library's own)
            sock.connect_ex(listening.getsockname())
        yield listening.getsockname()
        for sock in waiting:
            sock.close()


def ask(url: str, seconds: float) -> requests.Response:
    return request_once("GET", url, seconds=seconds, most_bytes=10_000)


@pytest.mark.usefixtures("deaf_resolver")
def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    with pytest.raises(requests.ConnectTimeout):
        ask("http://heart.example/", 0.1)


def test_all_addresses_of_a_name_share_the_deadline(
    deaf: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    connect = socket.socket.connect

    def counted(sock: socket.socket, address: tuple[str, int]) -> None:
        tried.append(address)
        connect(sock, address)

    found = (socket.AF_INET, socket.SOCK_STREAM, 6, "", deaf)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [found] * ADDRESSES)
    monkeypatch.setattr(socket.socket, "connect", counted)
    with pytest.raises(requests.ConnectTimeout):
        ask(f"http://heart.example:{deaf[1]}/", 0.3)
    assert 1 <= len(tried) < ADDRESSES


def test_a_name_with_an_address_that_is_refused_is_reached_at_the_next(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: names are resolved, and one address after the other is tried."""
    httpserver.expect_request("/alive").respond_with_data("ok")
    host, port = httpserver.host, httpserver.port
    addresses = (("127.0.0.1", 1), ("127.0.0.1", port))
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert ask(f"http://{host}:{port}/alive", 30.0).ok


def test_a_name_without_an_address_is_no_answer() -> None:
    with pytest.raises(requests.ConnectionError):
        ask("http://nobody.invalid/", 30.0)
