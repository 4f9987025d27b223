"""A message ready to be handed over: its recipient, its id and its bytes."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message to one recipient.

    Attributes:
        recipient: address on the envelope.
        message_id: its `Message-ID`, angle brackets included; the same at every attempt.
        label: codes that name it to a person (`UD075 filed 3272/1234567`).
        content: header and body as they go over the wire, every line ended by CRLF.

    Raises:
        ValueError: the recipient or a line end could be read as a command by a server.
    """

    recipient: str
    message_id: str
    label: str
    content: bytes

    def __post_init__(self) -> None:
        if not self.recipient.isprintable() or set(self.recipient) & set("<> "):
            raise ValueError("the recipient is not one plain address")
        lines = self.content.count(b"\r\n")
        whole = self.content.endswith(b"\r\n")
        if not whole or {self.content.count(b"\r"), self.content.count(b"\n")} != {lines}:
            raise ValueError("every line of a message ends with CRLF")

    def parsed(self) -> EmailMessage:
        """The message as a mail reader gets it."""
        message = message_from_bytes(self.content, policy=policy.SMTP)
        assert isinstance(message, EmailMessage)  # noqa: S101 - what policy.SMTP makes
        return message
