"""A notice made into a mail: the same bytes at every attempt, but for its date."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from email.header import Header
from email.headerregistry import (
    Address,
    BaseHeader,
    HeaderRegistry,
    MessageIDHeader,
    UniqueUnstructuredHeader,
)
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from functools import cache, lru_cache

from connectors.mail.content import Content, DigestContent, write, write_digest, write_trial
from connectors.mail.envelope import Envelope
from connectors.mail.render import render_html, render_text
from connectors.mail.sanitise import one_line
from connectors.notice import Notice, Trial
from routing.calendar import PARIS
from routing.failures import Cause, Failure
from routing.mailbox import Mailbox

_BOUNDARY = "=_wif-alternative"
"""Cannot occur in a quoted-printable part."""

_LONGEST_LINE = 78
"""Characters of a header's line (RFC 5322, 2.1.1)."""

_FIXED = {
    # There is no `Precedence`: `bulk` would make filters hold back what an office waits for.
    "Auto-Submitted": "auto-generated",
    # All but NDR: that a mailbox is gone has to come back to us.
    "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
    "Content-Language": "fr",
}


class _Header(BaseHeader):
    """A header that is written as it is where nothing has to be encoded or folded."""

    def fold(self, *, policy: Policy) -> str:
        line = f"{self.name}: {self}"
        if self.isascii() and self.isprintable() and len(line) <= _LONGEST_LINE:
            return f"{line}{policy.linesep}"
        return super().fold(policy=policy)


class _Subject(UniqueUnstructuredHeader, BaseHeader):  # type: ignore[misc]
    """A subject folded by the library's older code: the newer one loses blanks between words."""

    def fold(self, *, policy: Policy) -> str:
        charset = "us-ascii" if self.isascii() else "utf-8"
        header = Header(str(self), charset, header_name=self.name)
        return f"{self.name}: {header.encode(linesep=policy.linesep)}{policy.linesep}"


class _MessageId(MessageIDHeader, BaseHeader):  # type: ignore[misc]
    """An id on one line however long: some servers do not find one that is folded."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


class _Headers(HeaderRegistry):
    """The library's headers, of which most are the same in every mail of a unit.

    Without caches a class is made for each header, and making and reading headers takes as
    long as all the rest of a mail. Headers do not change once they are made.
    """

    __getitem__ = cache(HeaderRegistry.__getitem__)
    __call__ = lru_cache(maxsize=256)(HeaderRegistry.__call__)


_HEADERS = _Headers(base_class=_Header)
_HEADERS.map_to_type("subject", _Subject)
_HEADERS.map_to_type("message-id", _MessageId)
POLICY = SMTP.clone(header_factory=_HEADERS)
"""How messages are written."""


def compose(notice: Notice, *, sender: str, recipient: str, at: datetime) -> Envelope:
    """The mail that tells `recipient` of `notice`.

    Args:
        notice: what is told.
        sender: mailbox it comes from (`Work In France <ne-pas-repondre@wif.example>`).
        recipient: the unit's mailbox.
        at: instant of the `Date` header.

    Raises:
        Failure: sender or recipient is not one mail address (`MAIL_SENDER_REFUSED`,
            `MAIL_RECIPIENT_REFUSED`).
    """
    content = write_digest(notice, at) if notice.carried else write(notice)
    return _assemble(
        content,
        _codes(notice),
        notice.key,
        thread=_thread(notice),
        sender=sender,
        recipient=recipient,
        at=at,
    )


def _thread(notice: Notice) -> str:
    """The conversation that a mail belongs to: of its dossier, none of a mail about several.

    To name those of several would make readers join them into one.
    """
    dossiers = {(each.procedure, each.number) for each in notice.carried or (notice,)}
    if len(dossiers) > 1:
        return ""
    ((procedure, number),) = dossiers
    return f"{procedure}.{number}.{notice.unit}"


def compose_trial(trial: Trial, *, sender: str, recipient: str, at: datetime) -> Envelope:
    """The mail that shows that `recipient` can be reached; arguments and errors as of `compose`."""
    codes = {"X-WIF-Unit": _code(trial.unit), "X-WIF-Event": "trial"}
    return _assemble(
        write_trial(trial), codes, trial.key, sender=sender, recipient=recipient, at=at
    )


def _assemble(
    content: Content | DigestContent,
    codes: Mapping[str, str],
    key: str,
    *,
    thread: str = "",
    sender: str,
    recipient: str,
    at: datetime,
) -> Envelope:
    envelope = begin(
        sender=sender,
        recipient=recipient,
        subject=content.subject,
        key=message_key(key),
        label=" ".join(list(codes.values())[:3]),
        at=at,
    )
    message = envelope.message
    message.set_content(render_text(content), cte="quoted-printable")
    message.add_alternative(render_html(content), subtype="html", cte="quoted-printable")
    message.set_boundary(_BOUNDARY)
    # Last: what is added before the alternatives becomes a header of the first of them.
    grouped = {"List-Id": list_id(codes["X-WIF-Unit"], envelope), **_threaded(thread, envelope)}
    for name, value in {**codes, **grouped, **_FIXED}.items():
        message[name] = value
    return envelope


def list_id(unit: str, envelope: Envelope) -> str:
    """The list of a unit, by which mail readers sort."""
    return f"Work In France {unit} <{unit.lower()}.{_domain(envelope)}>"


def _threaded(thread: str, envelope: Envelope) -> dict[str, str]:
    """What mail readers group by: the dossier's conversation.

    All mails of a dossier to a unit name the same root, which is nobody's `Message-ID`, so that
    they stand together whichever came first.
    """
    root = message_key(f"thread.{thread}")
    return {"References": f"<{root}@{_domain(envelope)}>"} if thread else {}


def _domain(envelope: Envelope) -> str:
    return envelope.message_id.rpartition("@")[2].strip(">")


def begin(
    *, sender: str, recipient: str, subject: str, key: str, label: str, at: datetime
) -> Envelope:
    """A message with its addresses, subject, date and id, and nothing in it yet.

    Raises:
        Failure: as `compose` does.
    """
    origin = _mailbox(sender, Cause.MAIL_SENDER_REFUSED)
    target = _mailbox(recipient, Cause.MAIL_RECIPIENT_REFUSED)
    in_ascii = f"{origin.address}{target.address}".isascii()
    message = EmailMessage(policy=POLICY.clone(utf8=not in_ascii))
    message["From"] = _shown(origin)
    message["To"] = _shown(target)
    message["Subject"] = subject
    message["Date"] = format_datetime(at.astimezone(PARIS))
    message["Message-ID"] = f"<{key}@{origin.domain}>"
    return Envelope(recipient=target.address, label=label, message=message)


def message_key(delivery: str) -> str:
    """What stands before the @ of the `Message-ID` of a delivery, by the delivery's own key."""
    return f"wif.{hashlib.sha256(delivery.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def _mailbox(written: str, refused: Cause) -> Mailbox:
    try:
        mailbox = Mailbox.parse(written)
    except ValueError:
        mailbox = None
    if mailbox is None:
        raise Failure(refused)
    return mailbox


def _shown(mailbox: Mailbox) -> str:
    return str(Address(one_line(mailbox.name, longest=80), mailbox.local, mailbox.domain))


def _codes(notice: Notice) -> dict[str, str]:
    """Headers by which an office can sort its mailbox with rules."""
    return {
        "X-WIF-Unit": _code(notice.unit),
        "X-WIF-Event": notice.event.value,
        "X-WIF-Dossier": "digest" if notice.carried else f"{notice.procedure}/{notice.number}",
        "X-WIF-Permit-Type": _code(None if notice.carried else notice.permit_type),
        "X-WIF-Department": _code(None if notice.carried else notice.department),
    }


def _code(code: str | None) -> str:
    return one_line(code or "", longest=32) or "unknown"
