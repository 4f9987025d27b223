"""Mail servers that stay silent, hang up or speak something else: each is left in time."""

import socket
import time

import pytest

from connectors.mail.failure import MailFailure, Stage
from connectors.mail.smtp import SmtpSender
from connectors.mail.smtp_session import Timeouts
from routing.failures import Cause
from tests.connectors.mail.samples import SENDER, mail
from tests.connectors.mail.smtp_attempts import (
    SHORT,
    failure_of,
    is_uncertain,
    raw_server,
    sender_to,
    to,
)
from tests.fixtures.orphans import free_port
from tests.fixtures.smtp import SmtpServer
from tests.fixtures.smtp_faults import At, Fault


@pytest.mark.parametrize(
    ("at", "stage", "uncertain"),
    [
        (At.GREETING, Stage.GREETING, False),
        (At.EHLO, Stage.EHLO, False),
        (At.MAIL, Stage.MAIL, False),
        (At.RCPT, Stage.RCPT, False),
        (At.DATA, Stage.DATA, False),
        (At.CONTENT, Stage.ACCEPTANCE, True),
    ],
)
class TestSilence:
    def test_a_server_that_never_answers(
        self, smtp: SmtpServer, at: At, stage: Stage, uncertain: bool
    ) -> None:
        smtp.play(Fault(at=at))

        failure = failure_of(sender_to(smtp, SHORT))

        assert (failure.cause, failure.stage) == (Cause.MAIL_TIMEOUT, stage)
        assert is_uncertain(failure) is uncertain
        assert failure.status is None

    def test_a_server_that_hangs_up(
        self, smtp: SmtpServer, at: At, stage: Stage, uncertain: bool
    ) -> None:
        smtp.play(Fault(at=at, drop=True))

        failure = failure_of(sender_to(smtp))

        assert (failure.cause, failure.stage) == (Cause.MAIL_DROPPED, stage)
        assert is_uncertain(failure) is uncertain

    def test_the_next_message_gets_a_connection_of_its_own(
        self, smtp: SmtpServer, at: At, stage: Stage, uncertain: bool
    ) -> None:
        smtp.play(Fault(at=at, drop=True, times=1))

        with sender_to(smtp) as sender:
            with pytest.raises(MailFailure):
                sender.send(to("one@ud75.example"))
            sender.send(to("two@ud75.example"))

        assert [received.recipient for received in smtp.messages] == ["two@ud75.example"]
        assert smtp.connections == 2


def test_a_message_that_was_accepted_in_silence_has_the_same_id_the_second_time(
    smtp: SmtpServer,
) -> None:
    smtp.play(Fault(at=At.CONTENT, drop=True, accept=True, times=1))

    with sender_to(smtp) as sender:
        with pytest.raises(MailFailure) as caught:
            sender.send(mail())
        sender.send(mail())

    assert is_uncertain(caught.value)
    first, second = smtp.messages
    assert first.message_id == second.message_id


def test_nobody_listens() -> None:
    sender = SmtpSender(f"smtp://127.0.0.1:{free_port()}", sender=SENDER)

    failure = failure_of(sender)

    assert (failure.cause, failure.stage) == (Cause.MAIL_UNREACHABLE, Stage.CONNECT)


def test_a_name_that_does_not_resolve() -> None:
    failure = failure_of(SmtpSender("smtp://smtp.nowhere.example", sender=SENDER))

    assert (failure.cause, failure.stage) == (Cause.MAIL_UNREACHABLE, Stage.CONNECT)


def test_a_connection_that_is_never_taken() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        with socket.create_connection(address), socket.socket() as waiting:
            waiting.settimeout(0)
            waiting.connect_ex(address)
            sender = SmtpSender(f"smtp://127.0.0.1:{address[1]}", sender=SENDER, timeouts=SHORT)

            failure = failure_of(sender)

    assert (failure.cause, failure.stage) == (Cause.MAIL_TIMEOUT, Stage.CONNECT)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request secret\r\n\r\n",
        b"\x00\x01\x02secret\r\n",
        b"250 secret: wrong code for a greeting\r\n",
        b"220" + b"x" * 10_000 + b"\r\n",
        b"999 secret\r\n",
        b"22\r\n",
    ],
)
def test_a_server_that_speaks_something_else(said: bytes) -> None:
    with raw_server(said) as url:
        failure = failure_of(SmtpSender(url, sender=SENDER))

    assert (failure.cause, failure.stage) == (Cause.MAIL_DROPPED, Stage.GREETING)


def test_an_answer_in_many_lines_and_small_pieces_is_one_answer(smtp: SmtpServer) -> None:
    smtp.play(Fault(at=At.MAIL, reply="250-one\r\n250-two\r\n250 three", times=1))
    smtp.play(Fault(at=At.RCPT, reply="550-5.1.1 one\r\n550 5.1.1 two"))

    failure = failure_of(sender_to(smtp))

    assert failure.cause is Cause.MAIL_RECIPIENT_REFUSED


def test_the_answer_to_the_message_may_take_longer(smtp: SmtpServer) -> None:
    smtp.play(Fault(at=At.CONTENT))
    started = time.monotonic()

    failure_of(sender_to(smtp, Timeouts(step=0.2, before=1.0, acceptance=0.8)))

    assert time.monotonic() - started >= 0.8


def test_a_server_that_answers_every_command_late_is_given_up_in_time(smtp: SmtpServer) -> None:
    smtp.play(*(Fault(at=at, delay=0.3) for at in (At.GREETING, At.EHLO, At.MAIL, At.RCPT)))
    started = time.monotonic()

    failure = failure_of(sender_to(smtp, Timeouts(step=0.5, before=0.8)))

    assert (failure.cause, failure.stage) == (Cause.MAIL_TIMEOUT, Stage.MAIL)
    assert time.monotonic() - started < 2


@pytest.mark.usefixtures("deaf_resolver")
def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    failure = failure_of(SmtpSender("smtp://smtp.example:25", sender=SENDER, timeouts=SHORT))
    assert (failure.cause, failure.stage) == (Cause.MAIL_TIMEOUT, Stage.CONNECT)
