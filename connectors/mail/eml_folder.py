"""Messages written as `.eml` files, where there is no SMTP server to hand them to."""

import re
from pathlib import Path

from config.files import write_whole
from connectors.closing import Closing
from connectors.mail.envelope import Envelope
from routing.failures import Cause, Failure

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9]+")


class EmlFolder(Closing):
    """A folder that takes messages; the same interface as `SmtpSender`.

    A file appears whole or not at all, and a message sent again replaces its own file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def close(self) -> None:
        """Nothing is kept open."""

    def check(self) -> None:
        """Make the folder.

        Raises:
            Failure: it cannot be made (`MAIL_UNWRITABLE`).
        """
        try:
            self._path.mkdir(parents=True, exist_ok=True)
        except OSError:
            raise Failure(Cause.MAIL_UNWRITABLE) from None

    def send(self, envelope: Envelope) -> None:
        """Write `envelope`; it is on disk when this returns.

        Raises:
            Failure: the folder cannot be written (`MAIL_UNWRITABLE`).
        """
        if not self._written(envelope):
            raise Failure(Cause.MAIL_UNWRITABLE)

    def _written(self, envelope: Envelope) -> bool:
        try:
            write_whole(self._path / _file_name(envelope), envelope.content, sync=True)
        except OSError:
            return False
        return True


def _file_name(envelope: Envelope) -> str:
    """The label for a reader, and the Message-ID, which alone makes it unique."""
    parts = (*envelope.label.split(), envelope.message_id.partition("@")[0])
    slugs = (_NOT_IN_A_NAME.sub("-", part).strip("-")[:64] for part in parts)
    return "_".join(filter(None, slugs)) + ".eml"
