"""One attempt to send over a real socket, and the failure that it may end with."""

import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connectors.mail.envelope import Envelope
from connectors.mail.failure import MailFailure, Stage
from connectors.mail.message import compose
from connectors.mail.smtp import SmtpSender
from connectors.mail.smtp_session import Timeouts
from tests.connectors.mail.samples import AT, SENDER, mail, notice
from tests.fixtures.smtp import SmtpServer

SHORT = Timeouts(step=0.3, acceptance=0.3)
SAID = "secret of the server moe@ud75.example"
LOGIN = ("wif", "p@ss:w/rd")


def sender_to(server: SmtpServer, timeouts: Timeouts | None = None) -> SmtpSender:
    return SmtpSender(server.url, sender=SENDER, timeouts=timeouts)


def is_uncertain(failure: MailFailure) -> bool:
    """Whether the server may have accepted the message: it had all of it and never answered."""
    return failure.stage is Stage.ACCEPTANCE and failure.status is None


def failure_of(sender: SmtpSender, message: Envelope | None = None) -> MailFailure:
    """The failure of one attempt, which tells nothing that it must not tell."""
    with sender, pytest.raises(MailFailure) as caught:
        sender.send(message or mail())
    failure = caught.value
    shown = "".join(traceback.format_exception(failure))
    assert "secret" not in shown
    assert "ud75.example" not in shown
    assert failure.__context__ is None
    assert failure.__cause__ is None
    return failure


def to(recipient: str, key: str = "k") -> Envelope:
    return compose(notice(key=key), sender=SENDER, recipient=recipient, at=AT)


@contextmanager
def raw_server(*said: bytes, pause: float = 0.0) -> Iterator[str]:
    """A server that says these bytes, one piece after another, whatever it hears; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                for piece in said:
                    connection.sendall(piece)
                    time.sleep(pause)
                while connection.recv(4096):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join()
