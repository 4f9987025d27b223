"""The check of an exported period, offline: the file and public keys are all that it needs."""

import base64
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from config.files import read_lines
from store.audit.canonical import Row
from store.audit.check import Chain, Tail, Verification, Violation, ViolationKind, check_lines
from store.audit.export import END, TITLE, VERSION, end_statement
from store.audit.lines import COLUMNS, WIDTHS, leaves
from store.audit.seal_keys import is_signed
from store.audit.seals import Seal
from store.ranges import expand

_LINES = [{"type", *COLUMNS[:width]} for width in WIDTHS.values()]
_END = {"type", *END, "public_key", "signature"}


class ExportFileError(Exception):
    """A file is no export or cannot be read. Its text is one line that says why."""


class _UnreadableError(Exception):
    """A record is not one that the export writes."""


def verify_file(
    path: Path,
    *,
    trusted: frozenset[str] = frozenset(),
    exported: Mapping[int, str] | None = None,
    progress: Callable[[int], None] = lambda _lines: None,
) -> Verification:
    """Check an exported file, in bounded memory.

    Args:
        path: the file.
        trusted: public keys (hex) that may have signed; when empty, any may.
        exported: hashes of seals kept elsewhere by number, which those in the file must have.
        progress: told how many lines of the file are checked.

    Raises:
        ExportFileError: the file cannot be read, or does not begin as an export does.
    """
    check = _FileCheck(trusted, exported or {})
    try:
        lines = read_lines(path)
        _begin(path, check, next(lines, b""))
        for place, line in enumerate(lines, start=2):
            check.read(place, line)
            progress(place)
            if check.result.stopped:
                return check.result
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ExportFileError(f"{path}: cannot be read: {why}") from None
    check.close()
    return check.result


def _begin(path: Path, check: "_FileCheck", line: bytes) -> None:
    try:
        header = _record(line)
        known = (header.get("title"), header.get("version")) == (TITLE, VERSION)
    except _UnreadableError:
        known = False
    if not known:
        raise ExportFileError(f"{path}: does not begin as a version {VERSION} audit export does")
    check.digest.update(line)


class _FileCheck:
    """What is known of a file so far."""

    def __init__(self, trusted: frozenset[str], exported: Mapping[int, str]) -> None:
        self.result = Verification(signed=False)
        self.digest = sha256()
        self._trusted = trusted
        self._exported = exported
        self._chain = Chain(trusted=trusted, whole=False)
        self._rows: list[Row] = []
        self._shown, self._since_shown = False, 0
        self._ended = False
        self._take: dict[object, Callable[[dict[str, Any]], None]] = {
            "line": self._line,
            "unsealed": self._unsealed,
            "seal": self._seal,
            "end": self._end,
        }

    def read(self, place: int, line: bytes) -> None:
        """Take the next line of the file."""
        if self._ended:
            self.result.add(
                [Violation(ViolationKind.FILE_EDITED, lines=f"after its end, line {place}")]
            )
            return
        try:
            record = _record(line)
            self._take[record.get("type")](record)
        except (_UnreadableError, KeyError, TypeError, ValueError):
            self.result.add([Violation(ViolationKind.FILE_UNREADABLE, lines=f"line {place}")])
        self.digest.update(line)

    def close(self) -> None:
        """Note the end of the file."""
        if not self._ended:
            self.result.add([Violation(ViolationKind.FILE_TRUNCATED)])
        self._reject_loose_lines()

    def _line(self, record: dict[str, Any]) -> None:
        self._rows.append(_row(record))

    def _unsealed(self, record: dict[str, Any]) -> None:
        row, tail = _row(record), self.result.tail
        first, since = (tail.first, tail.since) if tail.size else (row[0], row[1])
        self.result.tail = Tail(tail.size + 1, first, since)
        self._count(withheld=False)

    def _seal(self, record: dict[str, Any]) -> None:
        leaf_hashes, withheld = _decoded(record.pop("leaves")), record.pop("withheld")
        seal = Seal.from_record(record, leaf_hashes=leaf_hashes)
        rows, self._rows = self._rows, []
        link = self._chain.check(seal)
        self.result.add(link.findings)
        self.result.note(seal, sound=link.sound)
        if self._exported.get(seal.number, seal.hash) != seal.hash:
            self.result.add([Violation(ViolationKind.SEAL_DIFFERS, seal.number)])
        if link.sound:
            self._check(seal, rows, set(expand(withheld, most=seal.size)))

    def _check(self, seal: Seal, rows: list[Row], withheld: set[int]) -> None:
        """Check the lines of a seal; the sealed hash takes the place of a withheld line."""
        ids, sealed = [row[0] for row in rows], seal.line_ids()
        hashes = dict(zip(ids, leaves(rows, seal.format), strict=True))
        if withheld - set(sealed) or withheld & hashes.keys():
            self.result.add([Violation(ViolationKind.FILE_EDITED, seal.number)])
        if ids != sorted(hashes):
            self.result.add([Violation(ViolationKind.LINES_REORDERED, seal.number)])
        known = dict(zip(sealed, seal.leaf_hashes(), strict=False))
        hashes |= {one: known.get(one, b"") for one in withheld & set(sealed)}
        every = sorted(hashes)
        self.result.add(check_lines(seal, every, [hashes[one] for one in every]))
        self.result.lines += len(rows)
        self.result.withheld += len(withheld)
        for one in every:
            self._count(withheld=one in withheld)

    def _count(self, *, withheld: bool) -> None:
        """Count the withheld lines that a shown one follows and another one comes before."""
        if withheld:
            self._since_shown += self._shown
        else:
            self.result.withheld_inside += self._since_shown
            self._shown, self._since_shown = True, 0

    def _end(self, record: dict[str, Any]) -> None:
        self._ended = True
        self._reject_loose_lines()
        if set(record) != _END:
            raise _UnreadableError
        seen = (self.result.lines, self.result.tail.size, self.result.withheld, self.result.seals)
        stated = tuple(record[name] for name in END)
        if stated != (*seen, self.digest.hexdigest()) or not self._is_signature_good(record):
            self.result.add([Violation(ViolationKind.FILE_EDITED)])

    def _is_signature_good(self, record: dict[str, Any]) -> bool:
        """Whether the file is unsigned, or signed by a key that may."""
        signature, public = record["signature"], record["public_key"]
        if signature is None and public is None:
            return True
        self.result.signed = is_signed(end_statement(record), signature=signature, public=public)
        return self.result.signed and (not self._trusted or public in self._trusted)

    def _reject_loose_lines(self) -> None:
        """A line that no seal follows claims to be sealed and is not."""
        loose, self._rows = self._rows, []
        self.result.add(
            Violation(ViolationKind.LINE_INSERTED, lines=str(row[0])) for row in loose[:1]
        )


def _row(record: dict[str, Any]) -> Row:
    if set(record) not in _LINES or type(record["id"]) is not int:
        raise _UnreadableError
    return tuple(record.get(name) for name in COLUMNS)


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except ValueError:
        raise _UnreadableError from None
    if not isinstance(record, dict) or not line.endswith(b"\n"):
        raise _UnreadableError
    return record


def _decoded(text: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise _UnreadableError
    return raw
