"""The mail that tells the people who run the service of an incident, and the one of its end.

In English, in plain text, of codes, counts and instants only.
"""

import hashlib
import textwrap
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from connectors.mail.address import Mailbox
from connectors.mail.letter import PARIS
from connectors.mail.mail import Mail
from routing.failures import Cause, Failure
from routing.incidents import MEANINGS, IncidentKind

_WIDTH = 76


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What is told of an incident.

    Attributes:
        key: the same at every attempt to tell of this, and for nothing else.
        kind: of the incident.
        subject: a procedure or the code of a cause, empty when there is nothing to tell apart.
        count: how many dossiers, deliveries or procedures it concerned when it was last looked at.
        since: when the oldest of them began to wait, None when that is not known.
        opened_at: when it was noticed.
        closed_at: when it was over, None while it lasts.
    """

    key: str
    kind: IncidentKind
    subject: str
    count: int
    since: datetime | None
    opened_at: datetime
    closed_at: datetime | None = None


def compose_alarm(alarm: Alarm, *, sender: str, recipient: str, at: datetime) -> Mail:
    """The mail that tells `recipient` of `alarm`.

    Args:
        alarm: what is told.
        sender: mailbox it comes from.
        recipient: mailbox of the people who run the service.
        at: instant of the `Date` header.

    Raises:
        Failure: sender or recipient is not one mail address (`MAIL_SENDER_REFUSED`,
            `MAIL_RECIPIENT_REFUSED`).
    """
    origin = _mailbox(sender, Cause.MAIL_SENDER_REFUSED)
    target = _mailbox(recipient, Cause.MAIL_RECIPIENT_REFUSED)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(origin.name, origin.local, origin.domain)
    message["To"] = Address(target.name, target.local, target.domain)
    message["Subject"] = _subject(alarm)
    message["Date"] = at.astimezone(PARIS)
    message["Message-ID"] = _message_id(alarm.key, origin.domain)
    message["Auto-Submitted"] = "auto-generated"
    message["X-WIF-Incident"] = alarm.kind.value
    message.set_content(_text(alarm))
    return Mail(
        recipient=target.address,
        message_id=str(message["Message-ID"]),
        label=f"incident {alarm.kind.value}",
        content=message.as_bytes(),
    )


def _mailbox(written: str, refused: Cause) -> Mailbox:
    try:
        mailbox = Mailbox.parse(written)
    except ValueError:
        mailbox = None
    if mailbox is None:
        raise Failure(refused)
    return mailbox


def _message_id(key: str, domain: str) -> str:
    return f"<wif.incident.{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def _subject(alarm: Alarm) -> str:
    begun = "Over" if alarm.closed_at else "Alarm"
    about = f" ({alarm.subject})" if alarm.subject else ""
    return f"[Work In France] {begun}: {MEANINGS[alarm.kind].title}{about}"


def _text(alarm: Alarm) -> str:
    facts = [("Incident", alarm.kind.value)]
    if alarm.subject:
        facts.append(("Concerns", alarm.subject))
    facts += [("Count", str(alarm.count))]
    if alarm.since:
        facts.append(("Oldest", _paris(alarm.since)))
    facts.append(("Noticed", _paris(alarm.opened_at)))
    if alarm.closed_at:
        facts.append(("Over", _paris(alarm.closed_at)))
    meaning = MEANINGS[alarm.kind]
    lines = [f"{meaning.title[0].upper()}{meaning.title[1:]}.", ""]
    lines += [f"{name + ':':<10} {value}" for name, value in facts]
    if alarm.closed_at is None:
        lines += ["", *_wrapped(meaning.advice), "", "One more mail comes when it is over."]
    return "\n".join(lines) + "\n"


def _paris(instant: datetime) -> str:
    return f"{instant.astimezone(PARIS):%Y-%m-%d %H:%M} (Paris)"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
