"""The mail that tells of an incident, and the one of its end."""

import hashlib
from datetime import datetime

from connectors.alarm.notice import Alarm
from connectors.mail.envelope import Envelope
from connectors.mail.message import begin


def compose_alarm(alarm: Alarm, *, sender: str, recipient: str, at: datetime) -> Envelope:
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
    envelope = begin(
        sender=sender,
        recipient=recipient,
        subject=alarm.title,
        key=f"wif.incident.{hashlib.sha256(alarm.key.encode()).hexdigest()[:40]}",
        label=f"incident {alarm.kind.value}",
        at=at,
    )
    envelope.message["Auto-Submitted"] = "auto-generated"
    envelope.message["X-WIF-Incident"] = alarm.kind.value
    envelope.message.set_content(alarm.text, cte="quoted-printable")
    return envelope
