"""Messages over real sockets: one connection for a batch, connections that age, old servers."""

import os
import signal
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from connectors.mail.envelope import Envelope
from connectors.mail.failure import MailFailure
from connectors.mail.smtp import SmtpSender
from connectors.mail.smtp_session import Timeouts
from routing.failures import Cause
from tests.connectors.mail.samples import SENDER, mail
from tests.connectors.mail.smtp_attempts import failure_of, sender_to, to
from tests.fixtures.smtp import SmtpServer
from tests.fixtures.smtp_faults import At, Fault


def test_a_batch_goes_through_one_connection(smtp: SmtpServer) -> None:
    mails = [to("moe@ud75.example", key=str(index)) for index in range(20)]

    with sender_to(smtp) as sender:
        for message in mails:
            sender.send(message)

    assert [received.message_id for received in smtp.messages] == [m.message_id for m in mails]
    assert smtp.connections == 1


def test_the_server_gets_the_bytes_that_were_composed(smtp: SmtpServer) -> None:
    message = mail(rule_why=". un point au début", unit_name=".")

    with sender_to(smtp) as sender:
        sender.send(message)

    (received,) = smtp.messages
    assert received.raw == message.content
    assert (received.sender, received.recipient) == (
        "ne-pas-repondre@wif.example",
        "moe@ud75.example",
    )


def test_lines_that_begin_with_a_dot_arrive_whole(smtp: SmtpServer) -> None:
    message = EmailMessage(policy=SMTP)
    message.set_content(".\n..\n.a\n")

    with sender_to(smtp) as sender:
        sender.send(Envelope(recipient="moe@ud75.example", label="x", message=message))

    assert smtp.messages[0].raw == message.as_bytes()
    assert message.as_bytes().endswith(b"\r\n\r\n.\r\n..\r\n.a\r\n")


def test_nothing_is_opened_before_the_first_message(smtp: SmtpServer) -> None:
    with sender_to(smtp):
        pass

    assert smtp.connections == 0


def test_a_check_connects_and_sends_nothing(smtp: SmtpServer) -> None:
    with sender_to(smtp) as sender:
        sender.check()
        sender.check()

    assert smtp.connections == 1
    assert smtp.commands[At.MAIL] == 0


def test_a_check_of_a_server_that_is_gone_fails(smtp: SmtpServer) -> None:
    smtp.stop()

    with sender_to(smtp) as sender, pytest.raises(MailFailure, match="mail-unreachable"):
        sender.check()


def test_a_server_restarted_between_two_messages_costs_no_attempt(smtp: SmtpServer) -> None:
    with sender_to(smtp) as sender:
        sender.send(mail(key="a"))
        smtp.stop()
        smtp.start()
        sender.send(mail(key="b"))

    assert len(smtp.messages) == 2
    assert smtp.connections == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(at=At.MAIL, reply="421 4.4.2 enough messages", drop=True, times=1),
        Fault(at=At.MAIL, reply="421 4.4.2 enough messages", times=1),
        Fault(at=At.MAIL, drop=True, times=1),
    ],
)
def test_a_kept_connection_that_has_had_enough_costs_no_attempt(
    smtp: SmtpServer, fault: Fault
) -> None:
    with sender_to(smtp) as sender:
        sender.send(mail(key="a"))
        smtp.play(fault)
        sender.send(mail(key="b"))

    assert len(smtp.messages) == 2
    assert smtp.connections == 2


def test_a_server_that_keeps_saying_421_is_believed(smtp: SmtpServer) -> None:
    with sender_to(smtp) as sender:
        sender.send(mail(key="a"))
        smtp.play(Fault(at=At.MAIL, reply="421 4.7.0 too fast", drop=True))
        with pytest.raises(MailFailure, match="mail-throttled"):
            sender.send(mail(key="b"))

    assert smtp.commands[At.MAIL] == 3


def test_an_idle_connection_is_asked_before_it_is_used(smtp: SmtpServer) -> None:
    with sender_to(smtp, timeouts=Timeouts(idle=0.0)) as sender:
        sender.send(mail(key="a"))
        sender.send(mail(key="b"))
        smtp.play(Fault(at=At.NOOP, drop=True, times=1))
        sender.send(mail(key="c"))

    assert len(smtp.messages) == 3
    assert smtp.commands[At.NOOP] == 2
    assert smtp.connections == 2


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_child_process_opens_its_own_connection(smtp: SmtpServer) -> None:
    with sender_to(smtp) as sender:
        sender.send(mail(key="parent"))
        child = os.fork()
        if child == 0:
            try:
                sender.send(mail(key="child"))
                sender.close()
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        sender.send(mail(key="parent again"))

    assert [received.message_id for received in smtp.messages] == [
        mail(key=key).message_id for key in ("parent", "child", "parent again")
    ]
    assert smtp.connections == 2


def test_an_interruption_leaves_no_half_used_connection(smtp: SmtpServer) -> None:
    class Stopped(Exception):
        pass

    def stop(*_: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGALRM, stop)
    smtp.play(Fault(at=At.RCPT, times=1))
    try:
        with sender_to(smtp) as sender:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(Stopped):
                sender.send(mail(key="a"))
            sender.send(mail(key="b"))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert [received.message_id for received in smtp.messages] == [mail(key="b").message_id]
    assert smtp.connections == 2


def test_a_server_of_the_old_kind_is_spoken_to_as_such(smtp: SmtpServer) -> None:
    smtp.play(Fault(at=At.EHLO, reply="502 5.5.1 not implemented"))

    with sender_to(smtp) as sender:
        sender.send(mail())

    assert len(smtp.messages) == 1
    assert smtp.commands[At.HELO] == 1


def test_a_server_without_any_extension_takes_the_message() -> None:
    without = frozenset({"SIZE", "8BITMIME", "SMTPUTF8", "HELP"})

    with SmtpServer(without=without) as server, sender_to(server) as sender:
        sender.send(mail())

    assert len(server.messages) == 1


def test_an_address_beyond_ascii_goes_to_a_server_that_can_take_it(smtp: SmtpServer) -> None:
    with sender_to(smtp) as sender:
        sender.send(to("hôtel@ud75.example"))
        sender.send(to("moe@ud75.example"))

    assert [received.recipient for received in smtp.messages] == [
        "hôtel@ud75.example",
        "moe@ud75.example",
    ]


def test_an_address_beyond_ascii_is_refused_where_it_cannot_be_taken() -> None:
    with SmtpServer(without=frozenset({"SMTPUTF8"})) as server:
        recipient = failure_of(sender_to(server), to("hôtel@ud75.example"))
        sender = failure_of(SmtpSender(server.url, sender="hôtel@wif.example"))

    assert recipient.cause is Cause.MAIL_RECIPIENT_REFUSED
    assert sender.cause is Cause.MAIL_SENDER_REFUSED


@pytest.mark.parametrize(
    ("option", "said"), [("", "[127.0.0.1]"), ("?helo=wif.example", "wif.example")]
)
def test_we_introduce_ourselves_without_asking_the_dns(
    smtp: SmtpServer, option: str, said: str
) -> None:
    with SmtpSender(smtp.url + option, sender=SENDER) as sender:
        sender.check()

    assert smtp.greeted_by == [said]
