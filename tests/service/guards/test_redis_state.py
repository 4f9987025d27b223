"""Redis as workers share it: what is late counts as away."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cli.processes import embedded_broker
from service.guards.redis_state import RedisState

DRIPS = 40
"""Bytes of the answer; at one each 20 ms it is whole after 0.8 s."""


@pytest.fixture
def dripping() -> Iterator[str]:
    """The URL of a server that answers everything rightly, one byte each 20 ms."""
    ended = threading.Event()

    def serve() -> None:
        peer, _ = listening.accept()
        with peer:
            while peer.recv(4_096):
                for byte in b"$33\r\n" + b"x" * 33 + b"\r\n":
                    if ended.wait(0.02):
                        return
                    peer.send(bytes([byte]))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        # Protocol 2 and no name of a library: nothing is asked before the first command.
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0?protocol=2&lib_name=&lib_version="
        ended.set()
    thread.join()


def test_a_server_that_drips_its_answer_is_away_at_the_deadline(dripping: str) -> None:
    with closing(RedisState(dripping, seconds=0.2)) as shared:
        assert shared.ask(lambda client: str(client.get("x")), "away") == "away"
        assert shared.ask(lambda client: str(client.get("x")), "left alone") == "left alone"


def test_the_embedded_broker_on_its_socket_answers(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as url, closing(RedisState(url)) as shared:
        assert shared.ask(lambda client: client.ping(), None) is True


def test_what_others_wrote_counts_as_nothing_and_redis_is_not_away(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as url, closing(RedisState(url)) as shared:
        shared.ask(lambda client: client.set("wif:count", b"\xff"), None)
        assert shared.ask(lambda client: int(str(client.get("wif:count"))), -1) == -1
        assert shared.ask(lambda client: client.ping(), None) is True
