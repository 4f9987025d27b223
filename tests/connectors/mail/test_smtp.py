"""Messages over real sockets, and every way in which a server can refuse or vanish."""

import os
import signal
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
import trustme

from connectors.mail.envelope import Envelope
from connectors.mail.failure import MailFailure, Stage
from connectors.mail.message import compose
from connectors.mail.smtp import SmtpSender
from connectors.mail.smtp_session import Timeouts
from routing.failures import Cause
from tests.connectors.mail.samples import AT, SENDER, mail, notice
from tests.fixtures.orphans import free_port
from tests.fixtures.smtp import At, Fault, SmtpServer

SHORT = Timeouts(step=0.3, acceptance=0.3)
SAID = "secret of the server moe@ud75.example"
LOGIN = ("wif", "p@ss:w/rd")


def sender_to(server: SmtpServer, timeouts: Timeouts | None = None) -> SmtpSender:
    return SmtpSender(server.url, sender=SENDER, timeouts=timeouts)


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


@pytest.fixture(params=[False, True], ids=["one by one", "pipelining"])
def smtp(request: pytest.FixtureRequest) -> Iterator[SmtpServer]:
    """A server that takes commands one by one, and one that takes several at once."""
    with SmtpServer(pipelining=request.param) as server:
        yield server


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


# refusals, stage by stage


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
    assert not failure.uncertain
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


# silences and losses


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
        assert failure.uncertain is uncertain
        assert failure.status is None

    def test_a_server_that_hangs_up(
        self, smtp: SmtpServer, at: At, stage: Stage, uncertain: bool
    ) -> None:
        smtp.play(Fault(at=at, drop=True))

        failure = failure_of(sender_to(smtp))

        assert (failure.cause, failure.stage) == (Cause.MAIL_DROPPED, stage)
        assert failure.uncertain is uncertain

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

    assert caught.value.uncertain
    first, second = smtp.messages
    assert first.message_id == second.message_id


def test_a_refused_message_is_certainly_not_accepted() -> None:
    assert not MailFailure(Cause.MAIL_TEMPORARY, stage=Stage.ACCEPTANCE, status=451).uncertain


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


# connections that age


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


def test_an_idle_connection_is_asked_before_it_is_used(
    smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.mail.smtp._IDLE", 0.0)

    with sender_to(smtp) as sender:
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


# what a server can do


def test_a_server_of_the_old_kind_is_spoken_to_as_such(smtp: SmtpServer) -> None:
    smtp.play(Fault(at=At.EHLO, reply="502 5.5.1 not implemented"))

    with sender_to(smtp) as sender:
        sender.send(mail())

    assert len(smtp.messages) == 1
    assert smtp.commands[At.HELO] == 1


def test_a_server_that_refuses_both_greetings_refuses_us(smtp: SmtpServer) -> None:
    smtp.play(Fault(at=At.EHLO, reply="550 no"), Fault(at=At.HELO, reply="550 no"))

    assert failure_of(sender_to(smtp)).cause is Cause.MAIL_SENDER_REFUSED


def test_a_server_without_any_extension_takes_the_message() -> None:
    without = frozenset({"SIZE", "8BITMIME", "SMTPUTF8", "HELP"})

    with SmtpServer(without=without) as server, sender_to(server) as sender:
        sender.send(mail())

    assert len(server.messages) == 1


def test_a_message_larger_than_announced_is_not_even_offered() -> None:
    with SmtpServer(size=1000) as server:
        failure = failure_of(sender_to(server))

    assert failure.cause is Cause.MAIL_REJECTED
    assert server.commands[At.MAIL] == 0


def test_a_message_larger_than_the_server_takes_is_rejected() -> None:
    with SmtpServer(size=1000, without=frozenset({"SIZE"})) as server:
        failure = failure_of(sender_to(server))

    assert (failure.cause, failure.status) == (Cause.MAIL_REJECTED, 552)


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


# TLS and login


@pytest.fixture(params=["smtps", "smtp+starttls"])
def tls_server(
    request: pytest.FixtureRequest, smtp_certificate: trustme.LeafCert
) -> Iterator[SmtpServer]:
    """A server with a certificate and a login, in both ways of using TLS."""
    with SmtpServer(security=request.param, login=LOGIN, certificate=smtp_certificate) as server:
        yield server


def test_a_verified_server_gets_login_and_message(
    tls_server: SmtpServer, smtp_ca_file: Path
) -> None:
    with SmtpSender(f"{tls_server.url}?ca={smtp_ca_file}", sender=SENDER) as sender:
        sender.send(mail())
        sender.send(mail())

    assert len(tls_server.messages) == 2
    assert tls_server.connections == 1


def test_a_server_of_an_unknown_authority_gets_nothing(tls_server: SmtpServer) -> None:
    failure = failure_of(sender_to(tls_server))

    assert failure.cause is Cause.MAIL_TLS
    assert tls_server.commands[At.AUTH] == 0
    assert tls_server.commands[At.MAIL] == 0


def test_a_server_with_the_certificate_of_another_gets_nothing(
    smtp_authority: trustme.CA, smtp_ca_file: Path
) -> None:
    other = smtp_authority.issue_cert("smtp.other.example")

    with SmtpServer(security="smtps", certificate=other) as server:
        failure = failure_of(SmtpSender(f"{server.url}?ca={smtp_ca_file}", sender=SENDER))

    assert (failure.cause, failure.stage) == (Cause.MAIL_TLS, Stage.TLS)


def test_an_authority_that_cannot_be_read_is_a_failure_of_tls(
    tls_server: SmtpServer, tmp_path: Path
) -> None:
    failure = failure_of(SmtpSender(f"{tls_server.url}?ca={tmp_path}/none.pem", sender=SENDER))

    assert failure.cause is Cause.MAIL_TLS


def test_a_server_without_starttls_is_never_spoken_to_in_clear(
    smtp_certificate: trustme.LeafCert,
) -> None:
    with SmtpServer(
        security="smtp+starttls",
        login=LOGIN,
        certificate=smtp_certificate,
        without=frozenset({"STARTTLS"}),
    ) as server:
        failure = failure_of(sender_to(server))

    assert (failure.cause, failure.stage) == (Cause.MAIL_TLS, Stage.STARTTLS)
    assert server.commands[At.AUTH] == 0
    assert server.commands[At.MAIL] == 0


@pytest.mark.parametrize("reply", ["454 4.7.0 not now", "502 5.5.1 no"])
def test_a_server_that_refuses_starttls_is_never_spoken_to_in_clear(
    smtp_certificate: trustme.LeafCert, reply: str
) -> None:
    with SmtpServer(security="smtp+starttls", certificate=smtp_certificate) as server:
        server.play(Fault(at=At.STARTTLS, reply=reply))
        failure = failure_of(sender_to(server))

    assert (failure.cause, failure.stage) == (Cause.MAIL_TLS, Stage.STARTTLS)
    assert server.commands[At.MAIL] == 0


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault(at=At.STARTTLS), Cause.MAIL_TIMEOUT),
        (Fault(at=At.STARTTLS, drop=True), Cause.MAIL_DROPPED),
        (Fault(at=At.STARTTLS, reply="220 but no handshake follows"), Cause.MAIL_TLS),
        (Fault(at=At.STARTTLS, reply="220 and gone", drop=True), Cause.MAIL_TLS),
    ],
)
def test_a_server_that_vanishes_while_tls_begins(
    smtp_certificate: trustme.LeafCert, fault: Fault, cause: Cause
) -> None:
    with SmtpServer(security="smtp+starttls", certificate=smtp_certificate) as server:
        server.play(fault)
        failure = failure_of(sender_to(server, SHORT))

    assert (failure.cause, failure.stage) == (cause, Stage.STARTTLS)


def test_a_server_that_never_begins_tls() -> None:
    with raw_server() as url:
        sender = SmtpSender(url.replace("smtp:", "smtps:"), sender=SENDER, timeouts=SHORT)
        failure = failure_of(sender)

    assert (failure.cause, failure.stage) == (Cause.MAIL_TIMEOUT, Stage.TLS)


def test_a_server_that_speaks_no_tls_at_all(smtp: SmtpServer) -> None:
    failure = failure_of(SmtpSender(f"smtps://127.0.0.1:{smtp.port}", sender=SENDER))

    assert (failure.cause, failure.stage) == (Cause.MAIL_TLS, Stage.TLS)


def test_what_was_promised_in_clear_is_forgotten_once_tls_has_begun(
    smtp_certificate: trustme.LeafCert, smtp_ca_file: Path
) -> None:
    with SmtpServer(security="smtp+starttls", certificate=smtp_certificate) as server:
        server.play(Fault(at=At.EHLO, reply="250-x\r\n250-STARTTLS\r\n250 SIZE 10", times=1))
        with SmtpSender(f"{server.url}?ca={smtp_ca_file}", sender=SENDER) as sender:
            sender.send(mail())

    assert len(server.messages) == 1


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("535 5.7.8", Cause.MAIL_AUTH_REFUSED),
        ("534 5.7.9", Cause.MAIL_AUTH_REFUSED),
        ("538 5.7.11", Cause.MAIL_TLS),
        ("454 4.7.0", Cause.MAIL_TEMPORARY),
        ("421 4.7.0", Cause.MAIL_THROTTLED),
        ("334 not base64!", Cause.MAIL_AUTH_REFUSED),
    ],
)
def test_a_refused_login_has_a_cause_by_status(reply: str, cause: Cause) -> None:
    with SmtpServer(login=LOGIN) as server:
        server.play(Fault(at=At.AUTH, reply=f"{reply} {SAID}" if reply[0] != "3" else reply))
        failure = failure_of(sender_to(server))

    assert (failure.cause, failure.stage) == (cause, Stage.AUTH)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [(Fault(at=At.AUTH), Cause.MAIL_TIMEOUT), (Fault(at=At.AUTH, drop=True), Cause.MAIL_DROPPED)],
)
def test_a_server_that_vanishes_at_the_login(fault: Fault, cause: Cause) -> None:
    with SmtpServer(login=LOGIN) as server:
        server.play(fault)
        failure = failure_of(sender_to(server, SHORT))

    assert (failure.cause, failure.stage) == (cause, Stage.AUTH)


def test_a_wrong_password_is_refused_and_not_told() -> None:
    with SmtpServer(login=LOGIN) as server:
        url = f"smtp://wif:secret-but-wrong@127.0.0.1:{server.port}"
        failure = failure_of(SmtpSender(url, sender=SENDER))

    assert (failure.cause, failure.status) == (Cause.MAIL_AUTH_REFUSED, 535)


def test_a_server_that_wants_a_login_that_we_do_not_have() -> None:
    with SmtpServer(login=LOGIN) as server:
        url = f"smtp://127.0.0.1:{server.port}"
        failure = failure_of(SmtpSender(url, sender=SENDER))

    assert (failure.cause, failure.stage) == (Cause.MAIL_AUTH_REFUSED, Stage.MAIL)


@pytest.mark.parametrize("offered", ["250 HELP", "250 AUTH GSSAPI NTLM"])
def test_a_server_that_offers_no_login_that_we_know(smtp: SmtpServer, offered: str) -> None:
    smtp.play(Fault(at=At.EHLO, reply=f"250-x\r\n{offered}"))

    failure = failure_of(SmtpSender(f"smtp://u:secret@127.0.0.1:{smtp.port}", sender=SENDER))

    assert (failure.cause, failure.stage) == (Cause.MAIL_AUTH_REFUSED, Stage.AUTH)


def test_the_password_is_in_nothing_that_is_printed() -> None:
    sender = SmtpSender("smtps://wif:hunter2@smtp.example", sender=SENDER)

    assert "hunter2" not in f"{sender!r} {vars(sender)}"
