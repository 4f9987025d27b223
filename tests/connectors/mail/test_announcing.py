"""A message that is announced with the end of the one before: a round trip less, and no risk."""

import signal
import smtplib
import socket
import threading
from collections.abc import Iterator
from typing import Self

import pytest

from connectors.mail.conversation import Timeouts
from connectors.mail.failure import MailFailure, Stage
from connectors.mail.mail import Mail
from connectors.mail.smtp import SmtpSender
from routing.failures import Cause
from tests.connectors.mail.samples import SENDER, mail
from tests.fixtures_smtp import At, Fault, SmtpServer

SHORT = Timeouts(step=1.0, acceptance=1.0)
FIRST, SECOND, THIRD = (mail(key=key) for key in ("first", "second", "third"))
LARGE = Mail(recipient="moe@ud75.example", message_id="<l@x>", label="l", content=b"x\r\n" * 9999)


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with SmtpServer(pipelining=True, size=20_000) as server:
        yield server


@pytest.fixture
def sender(smtp: SmtpServer) -> Iterator[SmtpSender]:
    with SmtpSender(smtp.url, sender=SENDER) as made:
        yield made


def ids(smtp: SmtpServer) -> list[str]:
    return [received.message_id for received in smtp.messages]


class Slow:
    """A server that accepts a message only when it has heard of the next one.

    Attributes:
        heard: what came before each of its answers.
    """

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            self._answer(connection, b"", b"220 slow\r\n")
            self._answer(connection, b"\r\n", b"250-slow\r\n250 PIPELINING\r\n")
            self._answer(connection, b"DATA\r\n", b"250\r\n250\r\n354\r\n")
            # The end of the first message, and the commands of the second.
            self._answer(connection, b"DATA\r\n", b"250\r\n250\r\n250\r\n354\r\n")
            self._answer(connection, b"\r\n.\r\n", b"250\r\n")
            self._answer(connection, b"QUIT\r\n", b"221\r\n")

    def _answer(self, connection: socket.socket, until: bytes, answer: bytes) -> None:
        heard = b""
        while not heard.endswith(until):
            piece = connection.recv(65_536)
            if not piece:
                return  # the client has given up
            heard += piece
        self.heard.append(heard)
        connection.sendall(answer)


def test_the_next_message_is_announced_with_the_end_of_this_one() -> None:
    with Slow() as server, SmtpSender(server.url, sender=SENDER, timeouts=SHORT) as sender:
        sender.send(FIRST, then=SECOND)
        sender.send(SECOND)

    end, commands = server.heard[3].split(b"\r\n.\r\n", 1)
    assert FIRST.message_id.encode() in end
    assert [line[:4] for line in commands.split(b"\r\n")[:3]] == [b"MAIL", b"RCPT", b"DATA"]


def test_its_content_is_not_sent_before_the_server_asks_for_it() -> None:
    with Slow() as server, SmtpSender(server.url, sender=SENDER, timeouts=SHORT) as sender:
        sender.send(FIRST, then=SECOND)
        assert SECOND.message_id.encode() not in b"".join(server.heard)
        sender.send(SECOND)

    assert SECOND.message_id.encode() in server.heard[4]


def test_a_batch_arrives_in_order_and_once_through_one_connection(
    smtp: SmtpServer, sender: SmtpSender
) -> None:
    mails = [mail(key=str(number)) for number in range(20)]

    for each, after in zip(mails, [*mails[1:], None], strict=True):
        sender.send(each, then=after)

    assert ids(smtp) == [each.message_id for each in mails]
    assert smtp.connections == 1


def test_a_server_that_takes_commands_one_by_one_is_told_nothing_early() -> None:
    with SmtpServer() as smtp, SmtpSender(smtp.url, sender=SENDER) as sender:
        sender.send(FIRST, then=SECOND)
        sender.send(THIRD)

    assert ids(smtp) == [FIRST.message_id, THIRD.message_id]
    assert smtp.connections == 1


def test_what_was_announced_and_is_not_sent_does_not_arrive(smtp: SmtpServer) -> None:
    with SmtpSender(smtp.url, sender=SENDER) as sender:
        sender.send(FIRST, then=SECOND)

    with SmtpSender(smtp.url, sender=SENDER) as sender:
        sender.send(THIRD)
    assert ids(smtp) == [FIRST.message_id, THIRD.message_id]


def test_another_message_than_the_announced_one_takes_a_new_connection(
    smtp: SmtpServer, sender: SmtpSender
) -> None:
    sender.send(FIRST, then=SECOND)
    sender.send(THIRD)
    sender.send(SECOND)

    assert ids(smtp) == [FIRST.message_id, THIRD.message_id, SECOND.message_id]
    assert smtp.connections == 2


def test_a_server_that_waits_for_a_message_is_asked_nothing_else(
    smtp: SmtpServer, sender: SmtpSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.mail.smtp._IDLE", 0.0)

    sender.send(FIRST, then=SECOND)
    sender.send(SECOND)

    assert ids(smtp) == [FIRST.message_id, SECOND.message_id]
    assert smtp.commands[At.NOOP] == 0
    assert smtp.connections == 2


@pytest.mark.parametrize("at", [At.MAIL, At.RCPT, At.DATA])
def test_a_refusal_of_what_was_announced_is_its_own(at: At) -> None:
    class Picky(SmtpServer):
        """Refuses the second message."""

        def next_fault(self, at_: At, recipients: list[str]) -> Fault | None:
            refuses = at_ is at and self.commands[at] == 2
            return Fault(at=at, reply="550 5.1.1 no") if refuses else None

    with Picky(pipelining=True) as smtp, SmtpSender(smtp.url, sender=SENDER) as sender:
        sender.send(FIRST, then=SECOND)
        with pytest.raises(MailFailure) as refused:
            sender.send(SECOND, then=THIRD)
        sender.send(THIRD)

    assert refused.value.stage is Stage[at.name]
    assert not refused.value.uncertain
    assert ids(smtp) == [FIRST.message_id, THIRD.message_id]
    assert smtp.connections == 1


@pytest.mark.parametrize("reply", ["421 4.4.2 enough messages", ""])
def test_a_connection_that_has_had_enough_when_the_announced_one_comes_costs_no_attempt(
    reply: str,
) -> None:
    class Weary(SmtpServer):
        """Takes one message in each connection."""

        def next_fault(self, at: At, recipients: list[str]) -> Fault | None:
            weary = at is At.MAIL and self.commands[At.MAIL] == 2
            return Fault(at=at, reply=reply, drop=True) if weary else None

    with Weary(pipelining=True) as smtp, SmtpSender(smtp.url, sender=SENDER) as sender:
        sender.send(FIRST, then=SECOND)
        sender.send(SECOND, then=THIRD)
        sender.send(THIRD)

    assert ids(smtp) == [each.message_id for each in (FIRST, SECOND, THIRD)]
    assert smtp.connections == 2


@pytest.mark.parametrize(
    ("fault", "cause", "connections"),
    [
        (Fault(at=At.CONTENT, reply="451 4.3.0 later", times=1), Cause.MAIL_TEMPORARY, 1),
        (Fault(at=At.CONTENT, reply="554 5.6.0 no", times=1), Cause.MAIL_REJECTED, 1),
        (Fault(at=At.CONTENT, reply="421 4.3.2 ending", times=1), Cause.MAIL_THROTTLED, 2),
        (Fault(at=At.CONTENT, drop=True, times=1), Cause.MAIL_DROPPED, 2),
    ],
)
def test_a_message_that_fails_does_not_keep_its_successor(
    smtp: SmtpServer, sender: SmtpSender, fault: Fault, cause: Cause, connections: int
) -> None:
    smtp.play(fault)

    with pytest.raises(MailFailure, match=cause.value):
        sender.send(FIRST, then=SECOND)
    sender.send(SECOND)

    assert ids(smtp) == [SECOND.message_id]
    assert smtp.connections == connections


def test_a_message_that_is_too_large_is_not_announced(smtp: SmtpServer, sender: SmtpSender) -> None:
    sender.send(FIRST, then=LARGE)
    with pytest.raises(MailFailure, match="mail-rejected"):
        sender.send(LARGE, then=SECOND)
    sender.send(SECOND)

    assert ids(smtp) == [FIRST.message_id, SECOND.message_id]
    assert smtp.commands[At.MAIL] == 2


def test_where_only_the_announcement_was_cut_off_the_message_may_have_arrived(
    smtp: SmtpServer, sender: SmtpSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = smtplib.SMTP.send

    def cut(connection: smtplib.SMTP, data: bytes | str) -> None:
        written = data if isinstance(data, bytes) else data.encode()
        content, end, announcement = written.partition(b"\r\n.\r\n")
        send(connection, content + end)
        if announcement:
            raise smtplib.SMTPServerDisconnected

    monkeypatch.setattr(smtplib.SMTP, "send", cut)

    with pytest.raises(MailFailure) as failed:
        sender.send(FIRST, then=SECOND)

    assert failed.value.uncertain
    assert [received.message_id for received in smtp.wait_for(1)] == [FIRST.message_id]


def test_an_interruption_while_the_announced_one_is_asked_for_leaves_the_connection() -> None:
    class Stopped(Exception):
        pass

    def stop(*_: object) -> None:
        raise Stopped

    class Mute(SmtpServer):
        """Does not answer the second message."""

        def next_fault(self, at: At, recipients: list[str]) -> Fault | None:
            mute = at is At.MAIL and self.commands[At.MAIL] == 2
            return Fault(at=at) if mute else None

    before = signal.signal(signal.SIGALRM, stop)
    try:
        with Mute(pipelining=True) as smtp, SmtpSender(smtp.url, sender=SENDER) as sender:
            sender.send(FIRST, then=SECOND)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(Stopped):
                sender.send(SECOND, then=THIRD)
            sender.send(THIRD)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert ids(smtp) == [FIRST.message_id, THIRD.message_id]
    assert smtp.connections == 2
