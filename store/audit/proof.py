"""The proof that one line stands under a seal, in a form that needs none of this code to check."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from store.audit import merkle
from store.audit.canonical import expressible
from store.audit.lines import COLUMNS, WIDTHS, leaves, read_lines
from store.audit.seals import Seal, seal_of


class NoProofError(Exception):
    """A line cannot be proved. Its text is one line that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A line, its place below a seal and the way up.

    Attributes:
        line: the columns by name.
        index: place of the line in its seal, from 0.
        path: the siblings on the way to the root.
        seal: without leaf hashes.
    """

    line: dict[str, Any]
    index: int
    path: tuple[merkle.Sibling, ...]
    seal: Seal

    def record(self) -> dict[str, Any]:
        """The proof as JSON."""
        return {
            "title": "wif-audit-proof",
            "format": self.seal.format,
            "columns": list(self.line),
            "line": self.line,
            "index": self.index,
            "path": [{"side": step.side.value, "hash": step.hash.hex()} for step in self.path],
            "seal": self.seal.record(),
        }


def prove(connection: Connection, line: int) -> Proof:
    """The proof of the line with the id `line`.

    Raises:
        NoProofError: there is no such line, no seal covers it yet, or it is not what was sealed.
    """
    rows = read_lines(connection, after=line - 1, last=line)
    if not rows:
        raise NoProofError(f"line {line}: there is none with this id")
    seal = seal_of(connection, line)
    if seal is None:
        raise NoProofError(f"line {line}: no seal covers it yet; try after the next sealing")
    hashes, index = seal.leaf_hashes(), _index(seal, line)
    root = merkle.root(hashes).hex()
    if index is None or root != seal.root or hashes[index] != leaves(rows, seal.format)[0]:
        raise NoProofError(f"line {line}: it is not what was sealed; run: wif audit verify")
    known = COLUMNS[: WIDTHS[seal.format]]
    named = dict(zip(known, map(expressible, rows[0]), strict=False))
    return Proof(line=named, index=index, path=merkle.path(hashes, index), seal=seal)


def _index(seal: Seal, line: int) -> int | None:
    try:
        return seal.line_ids().index(line)
    except (TypeError, ValueError):
        return None
