"""The mail that brings a monthly report: a few words, and the report attached."""

from dataclasses import dataclass
from datetime import datetime
from textwrap import fill

from connectors.mail.envelope import Envelope
from connectors.mail.message import begin, list_id, message_key

_BOUNDARY = "=_wif-report"
"""Cannot occur in base64 or in a quoted-printable part."""

_COLUMNS = 72
_PARAGRAPHS = (
    "Bonjour,",
    "Le rapport {month} est joint ({file}) : dépôts, décisions par type d’autorisation, délais, et "
    "le mois précédent pour comparaison.",
    "{about}",
    "Ce message est envoyé automatiquement ; il n’appelle pas de réponse.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A monthly report to a unit.

    Attributes:
        unit: its code.
        month: in words (`octobre 2026`).
        file: name of the .xlsx file.
        content: the file.
        about: a sentence on whose figures these are.
    """

    unit: str
    month: str
    file: str
    content: bytes
    about: str


def compose_report(
    report: Report, *, prefix: str, sender: str, recipient: str, at: datetime
) -> Envelope:
    """The mail that brings a report to `recipient`.

    Args:
        report: what it brings.
        prefix: how every subject begins.
        sender: mailbox it comes from.
        recipient: the unit's mailbox.
        at: instant of the `Date` header.

    Raises:
        Failure: sender or recipient is not one mail address.
    """
    envelope = begin(
        sender=sender,
        recipient=recipient,
        subject=f"{prefix} Rapport {_of(report.month)} – {report.unit}",
        key=message_key(f"report.{report.file}"),
        label=f"{report.unit} report {report.file}",
        at=at,
    )
    message = envelope.message
    said = {"month": _of(report.month), "file": report.file, "about": report.about}
    paragraphs = (fill(each.format(**said), _COLUMNS) for each in _PARAGRAPHS)
    message.set_content("\n\n".join(paragraphs) + "\n", cte="quoted-printable")
    message.add_attachment(
        report.content,
        maintype="application",
        subtype="vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        filename=report.file,
    )
    message.set_boundary(_BOUNDARY)
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "fr"
    message["X-WIF-Unit"] = report.unit
    message["List-Id"] = list_id(report.unit, envelope)
    return envelope


def _of(month: str) -> str:
    """`de novembre 2026`, `d’octobre 2026`."""
    return f"d’{month}" if month[0] in "ao" else f"de {month}"
