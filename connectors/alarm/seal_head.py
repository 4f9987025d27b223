"""The mail that takes the newest seal of the audit log outside, where nobody here can change it."""

from datetime import datetime

from connectors.mail.envelope import Envelope
from connectors.mail.message import begin

_TEXT = """\
Keep this mail: it shows later that the audit log was not cut or
written anew.

Seal:      {number}, of {sealed_at} UTC
Hash:      {digest}
First key: {first_key}

It must not change from one mail to the next: the first key. To check
the log:

wif audit verify --head {number}:{digest} \\
  --pin {first_key}
"""


def compose_seal_head(
    number: int,
    digest: str,
    *,
    first_key: str,
    sealed_at: str,
    sender: str,
    recipient: str,
    at: datetime,
) -> Envelope:
    """The mail that tells `recipient` of a seal.

    Args:
        number: of the seal.
        digest: its hash (hex).
        first_key: public key (hex) that all others must lead back to.
        sealed_at: instant as text, UTC.
        sender: mailbox it comes from.
        recipient: mailbox of the people who run the service.
        at: instant of the `Date` header.

    Raises:
        Failure: sender or recipient is not one mail address.
    """
    envelope = begin(
        sender=sender,
        recipient=recipient,
        subject=f"[Work In France] Audit log: seal {number}",
        key=f"wif.seal.{number}.{digest[:40]}",
        label=f"seal {number}",
        at=at,
    )
    envelope.message["Auto-Submitted"] = "auto-generated"
    text = _TEXT.format(number=number, digest=digest, first_key=first_key, sealed_at=sealed_at)
    envelope.message.set_content(text, cte="quoted-printable")
    return envelope
