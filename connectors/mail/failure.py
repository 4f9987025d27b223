"""What an SMTP server's answers and silences mean, by the stage at which they come."""

import re
import smtplib
import ssl
from enum import StrEnum

from routing.failures import Cause, Failure


class Stage(StrEnum):
    """How far a conversation with a mail server had come."""

    CONNECT = "connect"
    TLS = "tls"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"
    ACCEPTANCE = "acceptance"
    """The whole message was sent; the server had not answered yet."""


class MailFailure(Failure):
    """A message that was not handed over, or of which we do not know.

    Attributes:
        stage: how far the conversation had come.
    """

    def __init__(self, cause: Cause, *, stage: Stage, status: int | None = None) -> None:
        super().__init__(cause, status=status)
        self.stage = stage


_REFUSED: dict[Stage, Cause] = {
    Stage.STARTTLS: Cause.MAIL_TLS,
    Stage.AUTH: Cause.MAIL_AUTH_REFUSED,
    Stage.RCPT: Cause.MAIL_RECIPIENT_REFUSED,
    Stage.DATA: Cause.MAIL_REJECTED,
    Stage.ACCEPTANCE: Cause.MAIL_REJECTED,
}
"""What a 5xx means at each stage; at any other, the server refuses us."""

SHUTTING_DOWN = 421
"""The server closes the connection after this."""

_POLICY = re.compile(rb"5\.7\.\d+\b")
_THROTTLING = re.compile(rb"4\.7\.\d+\b")
_BUSY = 450
_AUTH_REQUIRED = 530
_ENCRYPTION_REQUIRED = 538
_TOO_LARGE = 552


def of_reply(stage: Stage, status: int, text: bytes) -> MailFailure:
    """The failure that a reply other than the expected one is.

    Args:
        stage: where it came.
        status: its three digits.
        text: the rest of it; only its enhanced status code (RFC 3463) is looked at.
    """
    if 400 <= status < 500:  # noqa: PLR2004
        return MailFailure(_temporary(stage, status, text), stage=stage, status=status)
    if 500 <= status < 600:  # noqa: PLR2004
        return MailFailure(_permanent(stage, status, text), stage=stage, status=status)
    return MailFailure(Cause.MAIL_DROPPED, stage=stage)


def _temporary(stage: Stage, status: int, text: bytes) -> Cause:
    if status == SHUTTING_DOWN or (status == _BUSY and _THROTTLING.match(text)):
        return Cause.MAIL_THROTTLED
    return Cause.MAIL_TLS if stage is Stage.STARTTLS else Cause.MAIL_TEMPORARY


def _permanent(stage: Stage, status: int, text: bytes) -> Cause:
    if status == _AUTH_REQUIRED:
        return Cause.MAIL_AUTH_REFUSED
    if status == _ENCRYPTION_REQUIRED:
        return Cause.MAIL_TLS
    if stage is Stage.MAIL and status == _TOO_LARGE:
        return Cause.MAIL_REJECTED
    if stage is Stage.RCPT and _POLICY.match(text):
        # « relay access denied », « client host rejected »: servers hold back until RCPT
        # what they have against us, and our own settings heal without losing a mail
        return Cause.MAIL_SENDER_REFUSED
    return _REFUSED.get(stage, Cause.MAIL_SENDER_REFUSED)


def of_error(stage: Stage, error: OSError) -> MailFailure:
    """The failure that an error of the socket, of TLS or of smtplib is."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return of_reply(stage, error.smtp_code, _as_bytes(error.smtp_error))
    return MailFailure(_cause(stage, error), stage=stage)


def _cause(stage: Stage, error: OSError) -> Cause:
    # smtplib hides the socket's error behind its own
    root = error.__context__ if isinstance(error.__context__, OSError) else error
    if isinstance(root, TimeoutError):
        return Cause.MAIL_TIMEOUT
    if stage is Stage.STARTTLS and isinstance(error, smtplib.SMTPNotSupportedError):
        return Cause.MAIL_TLS
    if stage in {Stage.TLS, Stage.STARTTLS} and isinstance(root, ssl.SSLError):
        return Cause.MAIL_TLS
    if stage is Stage.CONNECT:
        return Cause.MAIL_UNREACHABLE
    unanswered = isinstance(error, smtplib.SMTPServerDisconnected | smtplib.SMTPResponseException)
    if stage is Stage.AUTH and isinstance(error, smtplib.SMTPException) and not unanswered:
        return Cause.MAIL_AUTH_REFUSED
    return Cause.MAIL_DROPPED


def _as_bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode("ascii", "replace")
