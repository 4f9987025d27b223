"""TLS and login: a server that cannot be trusted gets no password and no message."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from connectors.mail.failure import Stage
from connectors.mail.smtp import SmtpSender
from routing.failures import Cause
from tests.connectors.mail.samples import SENDER, mail
from tests.connectors.mail.smtp_attempts import (
    LOGIN,
    SAID,
    SHORT,
    failure_of,
    raw_server,
    sender_to,
)
from tests.fixtures.smtp import SmtpServer
from tests.fixtures.smtp_faults import At, Fault

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
