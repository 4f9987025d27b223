"""Seals in a file, kept elsewhere: what a rewritten or shortened database is caught against.

JSON Lines, a seal a line, without leaf hashes: some 600 bytes for up to ten thousand lines.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from config.files import read_lines
from store.audit.seals import Seal, read_seals
from store.engine import Database

LONGEST_SEAL = 65_536
"""Bytes of a seal without its leaf hashes; it has some 600."""


class SealFileError(Exception):
    """A file of seals cannot be read or continued. Its text is one line that says why."""


def write_seals(database: Database, out: BinaryIO, *, after: int | None = None) -> int:
    """Write the seals above the number `after`; gives how many."""
    count = 0
    for seal in read_seals(database, after=after):
        out.write(orjson.dumps(seal.record(), option=orjson.OPT_APPEND_NEWLINE))
        count += 1
    return count


def extend_seals(database: Database, path: Path) -> int:
    """Append to the file `path` the seals that it lacks; gives how many. The file may be new.

    Raises:
        SealFileError: the file cannot be written, or its last seal is not the database's.
    """
    try:
        last = _continue(path) if path.exists() else None
        if last is not None and _stored_hash(database, last.number) != last.hash:
            raise SealFileError(
                f"{path}: seal {last.number} is not the database's; "
                f"run: wif audit verify --against {path}"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as out:
            return write_seals(database, out, after=last.number if last else None)
    except OSError as error:
        raise SealFileError(f"{path}: cannot be written ({type(error).__name__})") from None


def load_seals(path: Path) -> Iterator[Seal]:
    """The seals in the file `path`, in the order in which they stand.

    Raises:
        SealFileError: it cannot be read or a line of it is not a seal.
    """
    try:
        for place, line in enumerate(read_lines(path, longest=LONGEST_SEAL), start=1):
            yield _seal(path, f"line {place}", line)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SealFileError(f"{path}: cannot be read: {why}") from None


def _seal(path: Path, place: str, line: bytes) -> Seal:
    try:
        return Seal.from_record(orjson.loads(line))
    except (TypeError, ValueError):
        raise SealFileError(f"{path}, {place}: is not an exported seal") from None


def _stored_hash(database: Database, number: int) -> str | None:
    stored = next(read_seals(database, after=number - 1), None)
    return stored.hash if stored is not None and stored.number == number else None


def _continue(path: Path) -> Seal | None:
    """The last seal of the file, from which an unfinished line behind it is cut off.

    A writer that was killed leaves one; the seal is written again, whole.
    """
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        size, block = 0, b""
        while size < end and block.count(b"\n") < 2:  # noqa: PLR2004
            size = min(end, max(size * 2, 4096))
            file.seek(end - size)
            block = file.read(size)
        whole = block[: block.rfind(b"\n") + 1]
        file.truncate(end - len(block) + len(whole))
    lines = whole.splitlines()
    return _seal(path, "the last line", lines[-1]) if lines else None
