"""Messages written as `.eml` files, where there is no SMTP server to hand them to."""

import os
import re
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.mail.envelope import Envelope
from routing.failures import Cause, Failure

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9]+")


class OutboxFolder:
    """A folder that takes messages; the same interface as `SmtpSender`.

    A file appears whole or not at all, and a message sent again replaces its own file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

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
            self._path.mkdir(parents=True, exist_ok=True)
            _write(self._path / _file_name(envelope), envelope.content)
        except OSError:
            return False
        return True


def _file_name(envelope: Envelope) -> str:
    """The label for a reader, and the Message-ID, which alone makes it unique."""
    parts = (*envelope.label.split(), envelope.message_id.partition("@")[0])
    slugs = (_NOT_IN_A_NAME.sub("-", part).strip("-")[:64] for part in parts)
    return "_".join(filter(None, slugs)) + ".eml"


def _write(path: Path, content: bytes) -> None:
    """Write `content` at `path` in one step that survives a power cut."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
