"""Refusals of a mail server: a cause by stage and status, and the next message goes on."""

import pytest

from connectors.mail.failure import MailFailure
from routing.failures import Cause
from tests.connectors.mail.samples import mail
from tests.connectors.mail.smtp_attempts import SAID, failure_of, is_uncertain, sender_to, to
from tests.fixtures.smtp import SmtpServer
from tests.fixtures.smtp_faults import At, Fault


@pytest.mark.parametrize(
    ("at", "reply", "cause"),
    [
        (At.GREETING, "554 5.3.2", Cause.MAIL_SENDER_REFUSED),
        (At.GREETING, "421 4.3.2", Cause.MAIL_THROTTLED),
        (At.GREETING, "450 4.3.2", Cause.MAIL_TEMPORARY),
        (At.EHLO, "421 4.3.2", Cause.MAIL_THROTTLED),
        (At.EHLO, "451 4.3.0", Cause.MAIL_TEMPORARY),
        (At.MAIL, "550 5.1.8", Cause.MAIL_SENDER_REFUSED),
        (At.MAIL, "530 5.7.0", Cause.MAIL_AUTH_REFUSED),
        (At.MAIL, "552 5.3.4", Cause.MAIL_REJECTED),
        (At.MAIL, "451 4.3.0", Cause.MAIL_TEMPORARY),
        (At.MAIL, "450 4.7.1", Cause.MAIL_THROTTLED),
        (At.MAIL, "421 4.7.0", Cause.MAIL_THROTTLED),
        (At.RCPT, "550 5.1.1", Cause.MAIL_RECIPIENT_REFUSED),
        (At.RCPT, "550", Cause.MAIL_RECIPIENT_REFUSED),
        (At.RCPT, "552 5.2.2", Cause.MAIL_RECIPIENT_REFUSED),
        (At.RCPT, "554 5.7.1", Cause.MAIL_SENDER_REFUSED),
        (At.RCPT, "451 4.7.1", Cause.MAIL_TEMPORARY),
        (At.RCPT, "450 4.2.0", Cause.MAIL_TEMPORARY),
        (At.RCPT, "450 4.7.25", Cause.MAIL_THROTTLED),
        (At.RCPT, "421 4.7.0", Cause.MAIL_THROTTLED),
        (At.DATA, "554 5.5.1", Cause.MAIL_REJECTED),
        (At.DATA, "451 4.3.0", Cause.MAIL_TEMPORARY),
        (At.DATA, "421 4.3.2", Cause.MAIL_THROTTLED),
        (At.CONTENT, "554 5.7.1", Cause.MAIL_REJECTED),
        (At.CONTENT, "552 5.3.4", Cause.MAIL_REJECTED),
        (At.CONTENT, "451 4.7.1", Cause.MAIL_TEMPORARY),
        (At.CONTENT, "421 4.3.2", Cause.MAIL_THROTTLED),
    ],
)
def test_a_refusal_has_a_cause_by_stage_and_status(
    smtp: SmtpServer, at: At, reply: str, cause: Cause
) -> None:
    smtp.play(Fault(at=at, reply=f"{reply} {SAID}"))

    failure = failure_of(sender_to(smtp))

    assert failure.cause is cause
    assert failure.status == int(reply[:3])
    assert not is_uncertain(failure)
    assert smtp.messages == []


@pytest.mark.parametrize("at", [At.MAIL, At.RCPT, At.DATA, At.CONTENT])
@pytest.mark.parametrize("reply", ["451 4.3.0 later", "550 5.0.0 no"])
def test_after_a_refusal_the_next_message_uses_the_same_connection(
    smtp: SmtpServer, at: At, reply: str
) -> None:
    smtp.play(Fault(at=at, reply=reply, times=1))

    with sender_to(smtp) as sender:
        with pytest.raises(MailFailure):
            sender.send(to("one@ud75.example"))
        sender.send(to("two@ud75.example"))

    assert [received.recipient for received in smtp.messages] == ["two@ud75.example"]
    assert smtp.connections == 1
    assert smtp.commands[At.RSET] == 1


def test_one_refused_recipient_does_not_touch_the_others(smtp: SmtpServer) -> None:
    smtp.play(Fault(at=At.RCPT, reply="550 5.1.1 unknown", recipient="two@ud75.example"))
    failed = []

    with sender_to(smtp) as sender:
        for name in ("one", "two", "three"):
            try:
                sender.send(to(f"{name}@ud75.example", key=name))
            except MailFailure as failure:
                failed.append((name, failure.cause))

    assert failed == [("two", Cause.MAIL_RECIPIENT_REFUSED)]
    assert [received.recipient for received in smtp.messages] == [
        "one@ud75.example",
        "three@ud75.example",
    ]


def test_a_message_that_is_asked_for_after_its_recipient_was_refused_is_not_sent(
    smtp: SmtpServer,
) -> None:
    smtp.play(
        Fault(at=At.RCPT, reply="550 5.1.1 unknown", times=1),
        Fault(at=At.DATA, reply="354 send it to nobody", times=1),
    )

    with sender_to(smtp) as sender:
        with pytest.raises(MailFailure, match="mail-recipient-refused"):
            sender.send(to("one@ud75.example"))
        smtp.behave()
        sender.send(to("two@ud75.example"))

    assert [received.recipient for received in smtp.messages] == ["two@ud75.example"]
    assert smtp.connections == 1


def test_a_server_that_does_not_answer_rset_is_left(smtp: SmtpServer) -> None:
    smtp.play(
        Fault(at=At.RCPT, reply="550 5.1.1 unknown", times=1), Fault(at=At.RSET, drop=True, times=1)
    )

    with sender_to(smtp) as sender:
        with pytest.raises(MailFailure, match="mail-recipient-refused"):
            sender.send(mail())
        sender.send(mail())

    assert len(smtp.messages) == 1
    assert smtp.connections == 2


def test_a_server_that_refuses_both_greetings_refuses_us(smtp: SmtpServer) -> None:
    smtp.play(Fault(at=At.EHLO, reply="550 no"), Fault(at=At.HELO, reply="550 no"))

    assert failure_of(sender_to(smtp)).cause is Cause.MAIL_SENDER_REFUSED


def test_a_message_larger_than_announced_is_not_even_offered() -> None:
    with SmtpServer(size=1000) as server:
        failure = failure_of(sender_to(server))

    assert failure.cause is Cause.MAIL_REJECTED
    assert server.commands[At.MAIL] == 0


def test_a_message_larger_than_the_server_takes_is_rejected() -> None:
    with SmtpServer(size=1000, without=frozenset({"SIZE"})) as server:
        failure = failure_of(sender_to(server))

    assert (failure.cause, failure.status) == (Cause.MAIL_REJECTED, 552)
