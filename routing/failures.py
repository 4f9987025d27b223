"""The taxonomy of failures: causes of failed calls to the outside, and what is done about them.

One table maps each cause to what is done about it; the documentation is made
from the same table. A failure carries codes only, never what a peer said.
"""

import copyreg
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """What is done after a call to the outside."""

    DONE = "done"
    RETRY = "retry"
    THROTTLED = "throttled"
    PERMANENT = "permanent"
    STOP_PROCEDURE = "stop-procedure"
    PAUSE_PROCEDURE = "pause-procedure"


class Cause(StrEnum):
    """Why a call to the outside did not do what it was for."""

    TPS_UNREACHABLE = "tps-unreachable"
    TPS_TIMEOUT = "tps-timeout"
    TPS_RESET = "tps-reset"
    TPS_TLS = "tps-tls"
    TPS_THROTTLED = "tps-throttled"
    TPS_UNAVAILABLE = "tps-unavailable"
    TPS_UNAUTHORIZED = "tps-unauthorized"
    TPS_FORBIDDEN = "tps-forbidden"
    TPS_NOT_FOUND = "tps-not-found"
    TPS_REJECTED = "tps-rejected"
    TPS_REDIRECTED = "tps-redirected"
    TPS_TRUNCATED = "tps-truncated"
    TPS_OVERSIZED = "tps-oversized"
    TPS_NOT_JSON = "tps-not-json"
    TPS_MALFORMED = "tps-malformed"
    TPS_FORM_CHANGED = "tps-form-changed"
    TPS_GROUP_MISSING = "tps-group-missing"
    TPS_GROUP_REFUSED = "tps-group-refused"
    MAIL_UNREACHABLE = "mail-unreachable"
    MAIL_TIMEOUT = "mail-timeout"
    MAIL_DROPPED = "mail-dropped"
    MAIL_TLS = "mail-tls"
    MAIL_THROTTLED = "mail-throttled"
    MAIL_TEMPORARY = "mail-temporary"
    MAIL_AUTH_REFUSED = "mail-auth-refused"
    MAIL_SENDER_REFUSED = "mail-sender-refused"
    MAIL_RECIPIENT_REFUSED = "mail-recipient-refused"
    MAIL_REJECTED = "mail-rejected"
    MAIL_UNWRITABLE = "mail-unwritable"
    WEBHOOK_UNREACHABLE = "webhook-unreachable"
    WEBHOOK_TIMEOUT = "webhook-timeout"
    WEBHOOK_DROPPED = "webhook-dropped"
    WEBHOOK_TLS = "webhook-tls"
    WEBHOOK_THROTTLED = "webhook-throttled"
    WEBHOOK_UNAVAILABLE = "webhook-unavailable"
    WEBHOOK_REDIRECTED = "webhook-redirected"
    WEBHOOK_REJECTED = "webhook-rejected"
    WEBHOOK_GONE = "webhook-gone"
    WEBHOOK_FORBIDDEN = "webhook-forbidden"
    WEBHOOK_UNSIGNED = "webhook-unsigned"
    ALARM_NOT_TAKEN = "alarm-not-taken"
    CHANNEL_MISSING = "channel-missing"
    READER_LOST = "reader-lost"
    INTERNAL = "internal-error"


class Sign(StrEnum):
    """What a failure tells of the peer as a whole, beyond the call that failed."""

    NONE = "none"
    UNANSWERED = "unanswered"
    """No whole answer came."""
    DOWN = "down"
    """It answers that it is down or in maintenance."""
    OURS = "ours"
    """The call failed on our side."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is done about a cause, what it means in one sentence, and what it tells of the peer."""

    action: Action
    meaning: str
    sign: Sign = Sign.NONE


TABLE: dict[Cause, Verdict] = {
    Cause.TPS_UNREACHABLE: Verdict(
        Action.RETRY, "name not resolved or connection refused", Sign.UNANSWERED
    ),
    Cause.TPS_TIMEOUT: Verdict(Action.RETRY, "no connection or no answer in time", Sign.UNANSWERED),
    Cause.TPS_RESET: Verdict(Action.RETRY, "connection cut before an answer", Sign.UNANSWERED),
    Cause.TPS_TLS: Verdict(Action.RETRY, "certificate or handshake refused", Sign.UNANSWERED),
    Cause.TPS_THROTTLED: Verdict(Action.THROTTLED, "429: too many requests"),
    Cause.TPS_UNAVAILABLE: Verdict(Action.RETRY, "408, 425 or 5xx", Sign.DOWN),
    Cause.TPS_UNAUTHORIZED: Verdict(Action.STOP_PROCEDURE, "401: token bad or expired"),
    Cause.TPS_FORBIDDEN: Verdict(Action.STOP_PROCEDURE, "403: address or token not allowed"),
    Cause.TPS_NOT_FOUND: Verdict(
        Action.PERMANENT, "unknown, hidden or out of scope (as 404 and 410 say)"
    ),
    Cause.TPS_REJECTED: Verdict(Action.PERMANENT, "any other 4xx, 1xx or unexpected 2xx"),
    Cause.TPS_REDIRECTED: Verdict(Action.STOP_PROCEDURE, "3xx: WIF_TPS_URL is not the API's"),
    Cause.TPS_TRUNCATED: Verdict(Action.RETRY, "answer shorter than announced", Sign.UNANSWERED),
    Cause.TPS_OVERSIZED: Verdict(Action.PERMANENT, "answer larger than the cap"),
    Cause.TPS_NOT_JSON: Verdict(
        Action.RETRY, "2xx whose body is not JSON (a maintenance page)", Sign.DOWN
    ),
    Cause.TPS_MALFORMED: Verdict(Action.PERMANENT, "JSON without what the protocol promises"),
    Cause.TPS_FORM_CHANGED: Verdict(
        Action.PAUSE_PROCEDURE, "a label that routing reads is not on the form, or stands twice"
    ),
    Cause.TPS_GROUP_MISSING: Verdict(
        Action.RETRY, "the form has no open group of that label, or several: `wif doctor`"
    ),
    Cause.TPS_GROUP_REFUSED: Verdict(
        Action.RETRY, "the dossier is not moved: the token may only read, or the group was closed"
    ),
    Cause.MAIL_UNREACHABLE: Verdict(Action.RETRY, "name not resolved or connection refused"),
    Cause.MAIL_TIMEOUT: Verdict(Action.RETRY, "no answer in time"),
    Cause.MAIL_DROPPED: Verdict(Action.RETRY, "connection lost; after DATA the outcome is unknown"),
    Cause.MAIL_TLS: Verdict(Action.RETRY, "TLS refused, absent or not verified"),
    Cause.MAIL_THROTTLED: Verdict(Action.THROTTLED, "421 or 450 4.7.x: slow down"),
    Cause.MAIL_TEMPORARY: Verdict(Action.RETRY, "any other 4xx, greylisting (451) included"),
    Cause.MAIL_AUTH_REFUSED: Verdict(Action.RETRY, "the server refuses our credentials"),
    Cause.MAIL_SENDER_REFUSED: Verdict(
        Action.RETRY, "5xx up to MAIL FROM, or 5.7.x to RCPT TO: our own settings"
    ),
    Cause.MAIL_RECIPIENT_REFUSED: Verdict(Action.PERMANENT, "5xx to RCPT TO: the mailbox"),
    Cause.MAIL_REJECTED: Verdict(Action.PERMANENT, "5xx to DATA, or over SIZE: the message"),
    Cause.MAIL_UNWRITABLE: Verdict(Action.RETRY, "the outbox folder cannot be written"),
    Cause.WEBHOOK_UNREACHABLE: Verdict(Action.RETRY, "name not resolved or connection refused"),
    Cause.WEBHOOK_TIMEOUT: Verdict(Action.RETRY, "no status within 15 s; the outcome is unknown"),
    Cause.WEBHOOK_DROPPED: Verdict(Action.RETRY, "connection lost; the outcome is unknown"),
    Cause.WEBHOOK_TLS: Verdict(Action.RETRY, "certificate or handshake refused"),
    Cause.WEBHOOK_THROTTLED: Verdict(Action.THROTTLED, "429: slow down"),
    Cause.WEBHOOK_UNAVAILABLE: Verdict(Action.RETRY, "408, 425 or 5xx"),
    Cause.WEBHOOK_REDIRECTED: Verdict(Action.RETRY, "3xx: redirects are not followed"),
    Cause.WEBHOOK_REJECTED: Verdict(
        Action.RETRY, "any other 4xx or 1xx: the endpoint is mended, no message is lost meanwhile"
    ),
    Cause.WEBHOOK_GONE: Verdict(
        Action.PERMANENT,
        "410: the endpoint wants nothing more; disabled until `wif channels enable` or a new "
        "address",
    ),
    Cause.WEBHOOK_FORBIDDEN: Verdict(
        Action.RETRY, "a private address or no https, and the host is not in WIF_WEBHOOK_ALLOW"
    ),
    Cause.WEBHOOK_UNSIGNED: Verdict(
        Action.RETRY,
        "no secrets for the unit in WIF_WEBHOOK_SECRETS, or a wrong line",
    ),
    Cause.ALARM_NOT_TAKEN: Verdict(
        Action.RETRY, "WIF_ALARM_URL did not take an alarm: no answer in time, or not 2xx"
    ),
    Cause.CHANNEL_MISSING: Verdict(Action.PERMANENT, "the unit has no such channel any more"),
    Cause.READER_LOST: Verdict(
        Action.RETRY, "reading the dossier ended or held up a process", Sign.OURS
    ),
    Cause.INTERNAL: Verdict(Action.RETRY, "an error of our own; the log says where", Sign.OURS),
}


class Failure(Exception):
    """A call to the outside that failed: a cause, and what a peer said of when to come back.

    Attributes:
        cause: why.
        retry_after: seconds that the peer asked to wait, None when it did not say.
        status: the peer's numeric status (HTTP or SMTP), None when there was none.
    """

    def __init__(
        self, cause: Cause, *, retry_after: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(cause.value if status is None else f"{cause.value} ({status})")
        self.cause = cause
        self.retry_after = retry_after
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        """Crosses processes whole; by default only the text would, and make no failure again."""
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]

    @property
    def action(self) -> Action:
        """What is done about it."""
        return TABLE[self.cause].action

    @property
    def sign(self) -> Sign:
        """What it tells of the peer as a whole."""
        return TABLE[self.cause].sign
