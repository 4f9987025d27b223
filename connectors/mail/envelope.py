"""A message ready to be handed over: its recipient, its id and what it says."""

from dataclasses import dataclass, replace
from email.message import EmailMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message to one recipient.

    Attributes:
        recipient: address on the envelope.
        label: codes that name it to a person (`UD075 filed 3272/1234567`).
        message: header and body, made with `email.policy.SMTP`.
        written: what goes over the wire in place of `message` as it is; None for that itself.

    Raises:
        ValueError: the recipient could be read as a command by a server.
    """

    recipient: str
    label: str
    message: EmailMessage
    written: bytes | None = None

    def __post_init__(self) -> None:
        if not self.recipient.isprintable() or set(self.recipient) & set("<> "):
            raise ValueError("the recipient is not one plain address")

    @property
    def message_id(self) -> str:
        """Its `Message-ID`, angle brackets included; the same at every attempt."""
        return str(self.message["Message-ID"])

    @property
    def content(self) -> bytes:
        """Header and body as they go over the wire, every line ended by CRLF."""
        return self.written or self.message.as_bytes()

    def with_content(self, content: bytes) -> "Envelope":
        """The same with other bytes for the wire."""
        return replace(self, written=content)
