"""A mail server that drips or floods is left in time, whichever stage it does it at."""

import smtplib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from connectors.mail.envelope import Envelope
from connectors.mail.failure import MailFailure, Stage
from connectors.mail.smtp import SmtpSender
from connectors.mail.smtp_session import BoundedSmtp, Timeouts
from routing.failures import Cause
from tests.connectors.mail.samples import SENDER, mail
from tests.connectors.mail.smtp_attempts import is_uncertain

SHORT = Timeouts(step=0.4, before=0.8, acceptance=0.4)
EVERY = 0.05
"""Seconds between two bytes or lines: always sooner than any time-out."""
OVER = 10.0
"""Seconds in which a short attempt must be over, on a busy machine."""

BANNER = b"220 mx.example ESMTP\r\n"
EHLO = b"250 mx.example\r\n"
OK = b"250 ok\r\n"
GO_ON = b"354 go on\r\n"

Piece = Callable[[], bytes]


def bytewise() -> bytes:
    return b"2"


def linewise() -> bytes:
    return b"250-still here\r\n"


@contextmanager
def dripping(before: tuple[bytes, ...], piece: Piece, every: float) -> Iterator[str]:
    """A server that answers as usual so often, and then drips for ever; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                for answer in before:
                    connection.sendall(answer)
                    if answer != before[-1] or answer != BANNER:
                        connection.recv(100_000)
                try:
                    while True:
                        connection.sendall(piece())
                        time.sleep(every)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join()


STAGES = [
    pytest.param((), Stage.GREETING, id="greeting"),
    pytest.param((BANNER,), Stage.EHLO, id="ehlo"),
    pytest.param((BANNER, EHLO), Stage.MAIL, id="mail"),
    pytest.param((BANNER, EHLO, OK), Stage.RCPT, id="rcpt"),
    pytest.param((BANNER, EHLO, OK, OK), Stage.DATA, id="data"),
    pytest.param((BANNER, EHLO, OK, OK, GO_ON), Stage.ACCEPTANCE, id="acceptance"),
]


def attempt(url: str) -> MailFailure:
    began = time.monotonic()
    with SmtpSender(url, sender=SENDER, timeouts=SHORT) as sender:
        with pytest.raises(MailFailure) as caught:
            sender.send(mail())
        assert time.monotonic() - began < OVER
    return caught.value


@pytest.mark.parametrize("piece", [bytewise, linewise])
@pytest.mark.parametrize(("before", "stage"), STAGES)
def test_a_server_that_drips_is_left_at_the_end_of_the_stage(
    before: tuple[bytes, ...], stage: Stage, piece: Piece
) -> None:
    with dripping(before, piece, EVERY) as url:
        failure = attempt(url)
    assert (failure.cause, failure.stage) == (Cause.MAIL_TIMEOUT, stage)
    assert is_uncertain(failure) is (stage is Stage.ACCEPTANCE)


@pytest.mark.parametrize(("before", "stage"), STAGES)
def test_a_server_that_floods_is_left_before_it_fills_the_memory(
    before: tuple[bytes, ...], stage: Stage
) -> None:
    sent = 0

    def flood() -> bytes:
        nonlocal sent
        sent += 16_000
        return b"250-more\r\n" * 1_600

    with dripping(before, flood, 0) as url:
        failure = attempt(url)
    assert (failure.cause, failure.stage) == (Cause.MAIL_DROPPED, stage)
    # What waits in the buffers of two sockets is not ours.
    assert sent < 20_000_000


def test_without_the_bound_smtplib_waits_on() -> None:
    """The control: the library's own client still listens when ours has left."""
    pieces = 0

    def counted() -> bytes:
        nonlocal pieces
        pieces += 1
        if pieces == 40:
            raise OSError
        return linewise()

    with dripping((BANNER,), counted, EVERY) as url:
        host, _, port = url.removeprefix("smtp://").partition(":")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtplib.SMTP(host, int(port), timeout=SHORT.step).ehlo()
    assert pieces == 40
    assert SHORT.step < 40 * EVERY

    with dripping((BANNER,), linewise, EVERY) as url:
        host, _, port = url.removeprefix("smtp://").partition(":")
        bounded = BoundedSmtp(host="", local_hostname="localhost")
        bounded.sock = socket.create_connection((host, int(port)))
        bounded.ends_at = time.monotonic() + SHORT.step
        bounded.getreply()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            bounded.ehlo()
        bounded.close()


def test_a_server_that_reads_slowly_is_left_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        left = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                for answer in (BANNER, EHLO, OK, OK, GO_ON):
                    connection.sendall(answer)
                    if answer is not GO_ON:
                        connection.recv(1_000)
                left.wait(OVER)

        thread = threading.Thread(target=serve)
        thread.start()
        message = EmailMessage(policy=SMTP)
        message.set_content("x" * 60 + "\n" + ("y" * 70 + "\n") * 200_000)
        large = Envelope(recipient="moe@ud75.example", label="x", message=message)
        url = f"smtp://127.0.0.1:{listener.getsockname()[1]}"
        with SmtpSender(url, sender=SENDER, timeouts=SHORT) as sender:
            with pytest.raises(MailFailure) as caught:
                sender.send(large)
            left.set()
        thread.join()
    assert (caught.value.cause, caught.value.stage) == (Cause.MAIL_TIMEOUT, Stage.CONTENT)
