"""One connection to an SMTP server, and how far it has come.

The commands are smtplib's; what is added is the stage, because what an answer or a
silence means depends on it.
"""

import smtplib
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass

from connectors.mail.failure import SHUTTING_DOWN, MailFailure, Stage, of_reply
from connectors.mail.mail import Mail
from connectors.mail.target import Security, SmtpTarget
from routing.failures import Cause

_READY = 220
_SEND_IT = 354
_REFUSED = 500
_COURTESY = 5.0
"""Seconds for an answer without which we simply leave."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each stage may take, in seconds.

    Together they keep one attempt below a minute and a half, which the time limit of a
    task has to leave room for.

    Attributes:
        step: to connect, and to answer any command.
        before: to get from nothing to where the server waits for the message.
        acceptance: to answer the message itself. Longer, because giving up while the
            server still filters it means that it may arrive twice.
    """

    step: float = 15.0
    before: float = 30.0
    acceptance: float = 45.0


@dataclass(frozen=True, slots=True)
class _Command:
    """One line for the server, and the status that it must answer; any 2xx when None."""

    stage: Stage
    line: bytes
    expected: int | None = None


class Conversation:
    """A connection that is greeted, protected and logged in, and then takes messages.

    `open` and `deliver` raise `MailFailure` for an answer and `OSError` (smtplib's errors
    are) for a silence; `stage` tells where. It is `ready` once `open` has returned.
    """

    def __init__(self, target: SmtpTarget, timeouts: Timeouts) -> None:
        self.stage = Stage.CONNECT
        self._target = target
        self._timeouts = timeouts
        self.ready = False
        self._announced: Mail | None = None
        self._until = 0.0
        self._own_address = ""
        # a name is given, or smtplib would ask the DNS for one
        self._smtp = smtplib.SMTP(local_hostname=target.helo or "localhost")

    def start_clock(self) -> None:
        """An attempt begins: its time is counted from now."""
        self._until = time.monotonic() + self._timeouts.before

    def open(self) -> None:
        """Connect, protect the connection as the target asks, and log in."""
        address = (self._target.host, self._target.port)
        plain = socket.create_connection(address, timeout=self._timeouts.step)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._own_address = _literal(plain)
        self._smtp.sock = plain
        if self._target.security is Security.TLS:
            self._enter(Stage.TLS)
            self._encrypt(plain)
        self._enter(Stage.GREETING)
        self._expect(self._smtp.getreply(), _READY)
        self._greet()
        if self._target.security is Security.STARTTLS:
            self._start_tls()
        if self._target.user is not None and self._target.password is not None:
            self._log_in(self._target.user, self._target.password)
        self.ready = True

    def takes(self, mail: Mail) -> bool:
        """Whether `mail` may come now: after one was announced, nothing else may."""
        return self._announced is None or self._announced is mail

    def deliver(self, mail: Mail, sender: str, *, then: Mail | None = None) -> None:
        """Hand `mail` over in the name of `sender`; it is accepted when this returns.

        `then` is announced together with the end of `mail` (RFC 2920 allows it), which saves
        it a round trip. Its content is not sent before the server asks for it.
        """
        self._enter(Stage.MAIL)
        announced, self._announced = self._announced, None
        if announced is None:
            self._check_limits(mail, sender)
            self._ask(self._commands(mail, sender))
        else:
            self._hear(self._commands(mail, sender))
        self._enter(Stage.CONTENT)
        self._send_content(mail, self._announcement(then, sender))
        self._enter(Stage.ACCEPTANCE)
        self._expect(self._smtp.getreply())

    def alive(self) -> bool:
        """Whether the server still answers; False when a message was announced, and is expected."""
        return self._answers("NOOP")

    def reset(self) -> bool:
        """Clear a transaction that was refused half-way; False when the server does not answer.

        A refusal of a message that another was announced with has ended its transaction, and
        the answers for the other one are on their way.
        """
        return self._announced is not None or self._answers("RSET")

    def quit(self) -> None:
        """Take leave and close; never raises. A message that was announced never comes."""
        self._answers("QUIT")
        self.abandon()

    def abandon(self) -> None:
        """Close our end without a word to the server."""
        self._smtp.close()

    def _greet(self) -> None:
        self._enter(Stage.EHLO)
        self._smtp.local_hostname = self._target.helo or self._own_address
        status, text = self._smtp.ehlo()
        if status >= _REFUSED:
            status, text = self._smtp.helo()
        self._expect((status, text))

    def _start_tls(self) -> None:
        self._enter(Stage.STARTTLS)
        if not self._smtp.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError
        self._expect(self._smtp.docmd("STARTTLS"), _READY)
        self._encrypt(self._socket())
        self._greet()

    def _log_in(self, user: str, password: str) -> None:
        self._enter(Stage.AUTH)
        try:
            self._smtp.login(user, password)
        except ValueError:
            # a challenge that is not base64, or a digest that this machine's OpenSSL forbids
            refused = True
        else:
            refused = False
        if refused:
            raise MailFailure(Cause.MAIL_AUTH_REFUSED, stage=self.stage)

    def _encrypt(self, plain: socket.socket) -> None:
        """Wrap the socket in verified TLS, and forget all that was said in clear (RFC 3207)."""
        context = self._context()
        if context is None:
            raise MailFailure(Cause.MAIL_TLS, stage=self.stage)
        self._smtp.sock = context.wrap_socket(plain, server_hostname=self._target.host)
        self._smtp.file = None
        self._smtp.esmtp_features = {}
        self._smtp.does_esmtp = False

    def _context(self) -> ssl.SSLContext | None:
        """How servers are verified; None when the file of the authority cannot be used."""
        try:
            return ssl.create_default_context(cafile=self._target.ca)
        except OSError:
            return None

    def _check_limits(self, mail: Mail, sender: str) -> None:
        """Raise when the server has said at EHLO that it cannot take such a message."""
        size = self._smtp.esmtp_features.get("size", "")
        if size.isdecimal() and 0 < int(size) < len(mail.content):
            raise MailFailure(Cause.MAIL_REJECTED, stage=self.stage)
        if self._smtp.has_extn("smtputf8"):
            return
        if not sender.isascii():
            raise MailFailure(Cause.MAIL_SENDER_REFUSED, stage=self.stage)
        if not mail.recipient.isascii():
            raise MailFailure(Cause.MAIL_RECIPIENT_REFUSED, stage=self.stage)

    def _commands(self, mail: Mail, sender: str) -> tuple[_Command, ...]:
        """What comes before the message itself."""
        options = f" SIZE={len(mail.content)}" if self._smtp.has_extn("size") else ""
        if not (sender + mail.recipient).isascii():
            options += " SMTPUTF8 BODY=8BITMIME"
        return (
            _Command(Stage.MAIL, f"MAIL FROM:<{sender}>{options}\r\n".encode()),
            _Command(Stage.RCPT, f"RCPT TO:<{mail.recipient}>\r\n".encode()),
            _Command(Stage.DATA, b"DATA\r\n", expected=_SEND_IT),
        )

    def _send_content(self, mail: Mail, announcement: bytes) -> None:
        try:
            self._smtp.send(_dotted(mail.content) + announcement)
        except OSError:
            if announcement:
                # What did not go out may be the announcement only.
                self.stage = Stage.ACCEPTANCE
            raise

    def _announcement(self, mail: Mail | None, sender: str) -> bytes:
        """The commands of a message that will follow; none where it cannot be announced."""
        if mail is None or not self._smtp.has_extn("pipelining"):
            return b""
        try:
            self._check_limits(mail, sender)
        except MailFailure:
            return b""  # in its own turn it is said
        self._announced = mail
        return b"".join(command.line for command in self._commands(mail, sender))

    def _ask(self, commands: tuple[_Command, ...]) -> None:
        """Ask for all at once, in one round trip in place of three (RFC 2920), or one by one."""
        if self._smtp.has_extn("pipelining"):
            self._smtp.send(b"".join(command.line for command in commands))
            self._hear(commands)
            return
        for command in commands:
            self._enter(command.stage)
            self._smtp.send(command.line)
            self._expect(self._smtp.getreply(), command.expected)

    def _hear(self, commands: tuple[_Command, ...]) -> None:
        """Read the answers to commands that were sent together."""
        for position, command in enumerate(commands, start=1):
            self._enter(command.stage)
            try:
                self._expect(self._smtp.getreply(), command.expected)
            except MailFailure as refused:
                if refused.status not in {None, SHUTTING_DOWN}:
                    self._hear_out(commands[position:])
                raise

    def _hear_out(self, commands: tuple[_Command, ...]) -> None:
        """Read the answers still to come after a refusal; a DATA granted all the same is ended."""
        with suppress(OSError):
            self._socket().settimeout(_COURTESY)
            for command in commands:
                status, _ = self._smtp.getreply()
                if status == _SEND_IT and command.expected == _SEND_IT:
                    self._smtp.send(b".\r\n")
                    self._smtp.getreply()

    def _answers(self, command: str) -> bool:
        """Whether the server says yes to a command that no message depends on.

        After an announcement it would take the command for the content of a message.
        """
        if self._announced is not None:
            return False
        try:
            self._socket().settimeout(_COURTESY)
            status, _ = self._smtp.docmd(command)
        except OSError:
            return False
        return _is_success(status)

    def _enter(self, stage: Stage) -> None:
        """Begin a stage; the socket waits as long as it may take."""
        self.stage = stage
        left = min(self._timeouts.step, self._until - time.monotonic())
        if stage is Stage.ACCEPTANCE:
            left = self._timeouts.acceptance
        if left <= 0:
            raise TimeoutError
        self._socket().settimeout(left)

    def _socket(self) -> socket.socket:
        """The open socket; smtplib forgets it when the server hangs up."""
        if self._smtp.sock is None:
            raise smtplib.SMTPServerDisconnected
        return self._smtp.sock

    def _expect(self, reply: tuple[int, bytes], status: int | None = None) -> None:
        """Raise unless the reply has that status, or any 2xx when none is given."""
        code, text = reply
        if not (code == status if status else _is_success(code)):
            raise of_reply(self.stage, code, text)


def _dotted(content: bytes) -> bytes:
    """`content` as DATA wants it: lines that begin with a dot get another one, and the end."""
    first = b"." if content.startswith(b".") else b""
    return first + content.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _literal(connected: socket.socket) -> str:
    """Our end of the connection as an address literal (RFC 5321, 4.1.3)."""
    host = connected.getsockname()[0]
    return f"[IPv6:{host}]" if ":" in host else f"[{host}]"


def _is_success(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004
