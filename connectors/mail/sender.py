"""A sender of mails: the SMTP server, or a folder where there is none."""

from pathlib import Path
from typing import Protocol

from connectors.closing import Opened
from connectors.mail.eml_folder import EmlFolder
from connectors.mail.envelope import Envelope
from connectors.mail.smtp import SmtpSender


class Sender(Opened, Protocol):
    """Takes messages one by one; a context manager that lets go of what it opened."""

    def check(self) -> None:
        """Find out whether messages would be taken; send nothing.

        Raises:
            routing.failures.Failure: they would not.
        """

    def send(self, envelope: Envelope) -> None:
        """Hand over one message to its one recipient, or raise `routing.failures.Failure`."""

    def close(self) -> None:
        """Let go of what is open; the next message opens it again."""


def open_sender(smtp_url: str | None, outbox_dir: Path, sender: str) -> Sender:
    """The sender that the settings ask for; nothing is opened before the first message.

    Args:
        smtp_url: see `SmtpTarget.parse`; None or empty writes `.eml` files.
        outbox_dir: where they are written; created when needed.
        sender: mailbox that messages come from.

    Raises:
        ValueError: `smtp_url` or `sender` is wrong; neither is repeated in the error.
    """
    if not smtp_url:
        return EmlFolder(outbox_dir)
    return SmtpSender(smtp_url, sender=sender)
