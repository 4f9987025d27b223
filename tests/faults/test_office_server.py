"""The account of accidents holds even for what the dead had written to their sockets."""

import smtplib
import threading
from collections.abc import Iterator

import pytest

from tests.faults.office_server import OfficeServer, Told
from tests.fixtures.orphans import PATIENCE


@pytest.fixture
def offices() -> Iterator[OfficeServer]:
    with OfficeServer() as server:
        yield server


def message(number: int) -> bytes:
    return (
        f"Message-ID: <{number}@wif.example>\r\nX-WIF-Unit: 75\r\nX-WIF-Event: new\r\n"
        f"X-WIF-Dossier: 1/{number}\r\n\r\nsynthetic\r\n"
    ).encode()


def begin(client: smtplib.SMTP) -> None:
    """Go as far as the content."""
    client.ehlo()
    client.mail("service@wif.example")
    client.rcpt("unit@wif.example")
    client.putcmd("data")
    assert client.getreply()[0] == 354


@pytest.mark.parametrize("died", [True, False], ids=["died", "control-alive"])
def test_what_the_dead_had_written_was_heard_by_nobody(offices: OfficeServer, died: bool) -> None:
    taken, go_on = threading.Event(), threading.Event()

    def hold_the_first(told: Told) -> None:
        if told.number == 1:
            taken.set()
            assert go_on.wait(PATIENCE)

    offices.on_accept = hold_the_first
    with (
        smtplib.SMTP(offices.host, offices.port, timeout=PATIENCE) as first,
        smtplib.SMTP(offices.host, offices.port, timeout=PATIENCE) as second,
    ):
        for client in (first, second):
            begin(client)
        first.send(message(1) + b".\r\n")
        assert taken.wait(PATIENCE)
        # The server is busy with the first: this stays in its socket.
        second.send(message(2) + b".\r\n")
        if died:
            offices.orphan()
        go_on.set()
        for client in (first, second):
            assert client.getreply()[0] == 250

    assert offices.unheard["<2@wif.example>"] == died
    assert offices.unheard["<1@wif.example>"] == 0
