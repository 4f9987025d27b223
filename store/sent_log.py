"""What was sent, in a file outside the database: what a restore to an earlier state reads.

JSON Lines, one for each message that a server accepted, with the dossier as the keyed hash of the
audit log. A line is on the disk before the database is told that the message was sent, so a
database that is put back to an earlier state can be told which of its messages went out since.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import orjson

from config.files import open_regular
from store.audit.log import AuditKey

FORMAT = 1
LONGEST_LINE = 4_096
"""Bytes. A longer line is none of ours."""


class SentDelivery(Protocol):
    """What of a delivery identifies it."""

    @property
    def procedure(self) -> int: ...
    @property
    def number(self) -> int: ...
    @property
    def event(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def assignment(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """One line: what a unit was told of a dossier.

    Attributes:
        at: when the server had accepted it.
        key_id: which audit key made `dossier_ref`.
        dossier_ref: keyed hash of the dossier, as in the audit log.
        assignment: the how-manieth assignment of the dossier it was about.
    """

    at: datetime
    key_id: str
    dossier_ref: str
    event: str
    unit: str
    channel: str
    assignment: int


class SentLog:
    """Appends to the file. For several processes at once: each writes whole lines.

    Args:
        path: the file, made on first use, readable by its owner only.
        key: makes the references.
    """

    def __init__(self, path: Path, key: AuditKey) -> None:
        self._path = path
        self._key = key

    def append(self, sent: Sequence[SentDelivery], at: datetime) -> None:
        """Write a line for each of `sent`; they are on the disk when this returns.

        Raises:
            OSError: the file cannot be written.
        """
        if not sent:
            return
        text = b"".join(self._line(each, at) for each in sent)
        descriptor = self._open()
        try:
            # One write: a line of another process never stands inside one of ours.
            if os.write(descriptor, text) != len(text):
                raise OSError("the disk is full")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def check(self) -> None:
        """Find out whether the file can be written, before anything is sent.

        Raises:
            OSError: it cannot.
        """
        os.close(self._open())

    def _open(self) -> int:
        new = not self._path.exists()
        if new:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(
            self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        if new:
            _sync_folder(self._path.parent)
        return descriptor

    def _line(self, sent: SentDelivery, at: datetime) -> bytes:
        content = {
            "v": FORMAT,
            "at": at.isoformat(),
            "key_id": self._key.id,
            "dossier_ref": self._key.ref(sent.procedure, sent.number),
            "event": str(sent.event),
            "unit": sent.unit,
            "channel": sent.channel,
            "assignment": sent.assignment,
        }
        # A line that a crash left unfinished ends at this break and spoils no other.
        return b"\n" + orjson.dumps(content)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class SentLogReader:
    """Reads one or more files.

    Attributes:
        lines: how many were read.
        damaged: how many could not be: cut off by a crash, or written by something else.
    """

    paths: Iterable[Path]
    lines: int = 0
    damaged: int = 0

    def check(self) -> None:
        """Find out whether the files can be read, before a database goes by them.

        Raises:
            OSError: one cannot.
        """
        for path in self.paths:
            with open_regular(path):
                pass

    def since(self, instant: datetime) -> Iterator[SentMessage]:
        """What was sent from `instant` on, in the order in which it was written.

        Raises:
            OSError: a file cannot be read.
        """
        for path in self.paths:
            with open_regular(path) as file:
                while line := file.readline(LONGEST_LINE):
                    if not line.strip():
                        continue
                    message = _read(line)
                    self.lines += message is not None
                    self.damaged += message is None
                    if message and message.at >= instant:
                        yield message


def _read(line: bytes) -> SentMessage | None:
    try:
        content = orjson.loads(line)
        if content.pop("v") != FORMAT:
            return None
        at = datetime.fromisoformat(content.pop("at"))
        message = SentMessage(at=at, **content)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
        return None
    texts = (message.key_id, message.dossier_ref, message.event, message.unit, message.channel)
    whole = all(isinstance(text, str) for text in texts) and isinstance(message.assignment, int)
    return message if whole and at.tzinfo else None
