"""One connection to an SMTP server, and how far it has come.

The commands are smtplib's. What is added is the stage, because what an answer or a silence
means depends on it, and an end to each stage: smtplib reads the lines of a reply one after
the other without a limit of time or number.
"""

import smtplib
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any

from connectors import deadline
from connectors.addresses import connect
from connectors.mail.envelope import Envelope
from connectors.mail.failure import MailFailure, Stage, of_reply
from connectors.mail.target import Security, SmtpTarget
from routing.failures import Cause

_READY = 220
_SEND_IT = 354
_REFUSED = 500
_OPTIONAL_REPLY_SECONDS = 5.0
"""How long a reply is waited for on which nothing depends."""
_LARGEST_REPLY = 32_768
"""Bytes of one reply, all its lines together. Real ones have some hundred."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each stage may take, in seconds, from its begin to the end of its last reply.

    Together they keep one attempt below a minute and a half, which the time limit of a
    task has to leave room for.

    Attributes:
        step: to connect, and for any command.
        before: to get from nothing to where the server waits for the message.
        acceptance: to answer the message itself. Longer, because giving up while the
            server still filters it means that it may arrive twice.
        idle: after so long a connection is asked whether it still lives before it is used.
    """

    step: float = 15.0
    before: float = 30.0
    acceptance: float = 45.0
    idle: float = 15.0


class BoundedSmtp(smtplib.SMTP):
    """smtplib's client whose replies end: by `ends_at`, and after so many bytes."""

    ends_at: float = 0.0

    def getreply(self) -> tuple[int, bytes]:
        """The next reply.

        Raises:
            SMTPServerDisconnected: it did not come, not in time, or was too long; the
                cause of that is its context.
        """
        if self.file is None and self.sock is not None:
            self.file = deadline.reader(self.sock)
        seconds = max(0.0, self.ends_at - time.monotonic())
        with deadline.within(seconds, most_bytes=_LARGEST_REPLY):
            return super().getreply()

    def send(self, s: Any) -> None:  # noqa: ANN401
        """Send all of it before the end."""
        if self.sock is not None:
            # Reading has left what it had.
            self.sock.settimeout(max(0.001, self.ends_at - time.monotonic()))
        super().send(s)


class SmtpSession:
    """A connection that is greeted, protected and logged in, and then takes messages.

    `open` and `deliver` raise `MailFailure` for an answer and `OSError` (smtplib's errors
    are) for a silence; `stage` tells where. It is `ready` once `open` has returned.
    """

    def __init__(self, target: SmtpTarget, timeouts: Timeouts) -> None:
        self.stage = Stage.CONNECT
        self._target = target
        self._timeouts = timeouts
        self.ready = False
        self._until = 0.0
        # A name is given, or smtplib would ask the DNS for one.
        self._smtp = BoundedSmtp(local_hostname=target.helo or "localhost")

    def start_clock(self) -> None:
        """An attempt begins: its time is counted from now."""
        self._until = time.monotonic() + self._timeouts.before

    def open(self) -> None:
        """Connect, protect the connection as the target asks, and log in."""
        plain = connect(self._target.host, self._target.port, seconds=self._timeouts.step)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        own_address = _literal(plain)
        self._smtp.sock = plain
        if self._target.security is Security.TLS:
            self._enter(Stage.TLS)
            self._encrypt(plain)
        self._smtp.local_hostname = self._target.helo or own_address
        self._enter(Stage.GREETING)
        self._expect(self._smtp.getreply(), _READY)
        self._greet()
        if self._target.security is Security.STARTTLS:
            self._start_tls()
        if self._target.user is not None and self._target.password is not None:
            self._log_in(self._target.user, self._target.password)
        self.ready = True

    def deliver(self, envelope: Envelope, content: bytes, sender: str) -> None:
        """Hand `envelope` over in the name of `sender`; it is accepted when this returns.

        Args:
            envelope: to whom.
            content: its header and body.
            sender: address in whose name.
        """
        self._enter(Stage.MAIL)
        options = _mail_options(self._smtp, envelope, sender, len(content))
        self._expect(self._smtp.mail(sender, options))
        self._enter(Stage.RCPT)
        self._expect(self._smtp.rcpt(envelope.recipient))
        self._enter(Stage.DATA)
        self._expect(self._smtp.docmd("DATA"), _SEND_IT)
        self._enter(Stage.CONTENT)
        self._smtp.send(_dotted(content))
        self._enter(Stage.ACCEPTANCE)
        self._expect(self._smtp.getreply())

    def alive(self) -> bool:
        """Whether the server still answers."""
        return self._answers("NOOP")

    def reset(self) -> bool:
        """Clear a transaction that was refused half-way; False when there is no answer."""
        return self._answers("RSET")

    def quit(self) -> None:
        """Send QUIT and close; never raises."""
        self._answers("QUIT")
        self.abandon()

    def abandon(self) -> None:
        """Close the socket without QUIT."""
        self._smtp.close()

    def _greet(self) -> None:
        self._enter(Stage.EHLO)
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
            # A challenge that is not base64, or a digest that this machine's OpenSSL forbids.
            refused = True
        else:
            refused = False
        if refused:
            raise MailFailure(Cause.MAIL_AUTH_REFUSED, stage=self.stage)

    def _encrypt(self, plain: socket.socket) -> None:
        """Wrap the socket in verified TLS, and forget all that was said in clear (RFC 3207)."""
        try:
            context = ssl.create_default_context(cafile=self._target.ca)
        except OSError:
            context = None  # the file of the authority cannot be used
        if context is None:
            raise MailFailure(Cause.MAIL_TLS, stage=self.stage)
        self._smtp.sock = context.wrap_socket(plain, server_hostname=self._target.host)
        self._smtp.file = None
        self._smtp.esmtp_features = {}
        self._smtp.does_esmtp = False

    def _answers(self, command: str) -> bool:
        """Whether the server says yes to a command that no message depends on."""
        try:
            self._smtp.ends_at = time.monotonic() + _OPTIONAL_REPLY_SECONDS
            status, _ = self._smtp.docmd(command)
        except OSError:
            return False
        return _is_success(status)

    def _enter(self, stage: Stage) -> None:
        """Begin a stage, which has its own end."""
        self.stage = stage
        now = time.monotonic()
        if stage is Stage.ACCEPTANCE:
            ends_at = now + self._timeouts.acceptance
        else:
            ends_at = min(now + self._timeouts.step, self._until)
        if ends_at <= now:
            raise TimeoutError
        self._smtp.ends_at = ends_at
        self._socket().settimeout(ends_at - now)

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


_MOST_DIGITS = 20


def _mail_options(smtp: smtplib.SMTP, envelope: Envelope, sender: str, size: int) -> list[str]:
    """What goes with MAIL.

    Raises:
        MailFailure: the server has said at EHLO that it cannot take such a message.
    """
    largest = smtp.esmtp_features.get("size", "")
    if largest.isdecimal() and len(largest) < _MOST_DIGITS and 0 < int(largest) < size:
        raise MailFailure(Cause.MAIL_REJECTED, stage=Stage.MAIL)
    options = [f"SIZE={size}"] if smtp.has_extn("size") else []
    if (sender + envelope.recipient).isascii():
        return options
    if smtp.has_extn("smtputf8"):
        return [*options, "SMTPUTF8", "BODY=8BITMIME"]
    ours = not sender.isascii()
    cause = Cause.MAIL_SENDER_REFUSED if ours else Cause.MAIL_RECIPIENT_REFUSED
    raise MailFailure(cause, stage=Stage.MAIL)


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
