"""The check of lines against their seals: what was edited, inserted, deleted, moved or cut off."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import func, select

from store.audit import merkle
from store.audit.canonical import Row
from store.audit.lines import TABLE, WIDTHS, LineReader, has_odd_ids, leaves, read_page
from store.audit.seals import GENESIS, Seal, read_seals
from store.engine import Database
from store.ranges import compress

MOST_FINDINGS = 20
"""Findings after which a check stops: by then the question is no longer whether."""


class ViolationKind(StrEnum):
    """What is wrong with lines, seals or an exported file."""

    LINE_EDITED = "line-edited"
    LINE_DELETED = "line-deleted"
    LINE_INSERTED = "line-inserted"
    LINES_REORDERED = "lines-reordered"
    LINES_ALTERED = "lines-altered"
    """Some of the lines of a seal were edited; its leaf hashes, which would tell which, too."""
    SEAL_EDITED = "seal-edited"
    SEAL_MISSING = "seal-missing"
    SEAL_OUT_OF_CHAIN = "seal-out-of-chain"
    SEAL_LEAVES_EDITED = "seal-leaf-hashes-edited"
    SEAL_KEY_UNKNOWN = "seal-key-unknown"
    """Signed by a key that is not among the trusted ones."""
    SEAL_FORMAT_UNKNOWN = "seal-format-unknown"
    TIMESTAMP_INVALID = "timestamp-invalid"
    """Not signed by the authority, or of another seal."""
    TIMESTAMP_LATE = "timestamp-late"
    """The authority saw the seal long after it says that it was made, or never."""
    SEAL_DIFFERS = "seal-differs-from-exported"
    EXPORTED_SEAL_EDITED = "exported-seal-edited"
    FILE_UNREADABLE = "file-unreadable"
    FILE_EDITED = "file-edited"
    FILE_TRUNCATED = "file-truncated"


@dataclass(frozen=True, slots=True)
class Violation:
    """One proof that something was changed.

    Attributes:
        problem: what.
        seal: number of the seal that shows it, None when none does.
        lines: ids of the lines concerned, as ranges; for a file, the line of the file.
    """

    problem: ViolationKind
    seal: int | None = None
    lines: str = ""

    def __str__(self) -> str:
        seal = "" if self.seal is None else f"seal {self.seal}: "
        return f"{seal}{self.problem.value}{' ' if self.lines else ''}{self.lines}"


@dataclass(frozen=True, slots=True)
class Tail:
    """Lines that no seal covers yet: nothing vouches for them.

    Attributes:
        size: how many.
        first: id of the first, None when there is none.
        since: its instant as text, UTC.
    """

    size: int = 0
    first: int | None = None
    since: str | None = None


@dataclass(slots=True)
class Verification:
    """What a check saw.

    Attributes:
        lines: lines checked against a seal.
        seals: seals read.
        findings: what is wrong, in the order of the log.
        stopped: there were so many findings that the rest was not read.
        head: the newest seal that is sound.
        keys: the public keys that signed.
        tail: lines not sealed yet.
        withheld: lines of the seals that a file leaves out, as outside its period.
        withheld_inside: those of them that stand between lines that the file shows.
        signed: whether a file is signed as a whole; None for a database.
    """

    lines: int = 0
    seals: int = 0
    findings: list[Violation] = field(default_factory=list)
    stopped: bool = False
    head: Seal | None = None
    keys: set[str] = field(default_factory=set)
    tail: Tail = Tail()
    withheld: int = 0
    withheld_inside: int = 0
    signed: bool | None = None

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def add(self, findings: Iterable[Violation]) -> None:
        """Note `findings`."""
        self.findings += findings
        self.stopped = len(self.findings) >= MOST_FINDINGS

    def note(self, seal: Seal, *, sound: bool) -> None:
        """Note that `seal` was read."""
        self.seals += 1
        if sound:
            self.keys.add(seal.public_key)
            self.head = replace(seal, leaves=b"")


@dataclass(frozen=True, slots=True)
class Link:
    """What the check of one seal of a chain gave.

    Attributes:
        findings: what is wrong with it and with its place.
        sound: it says what its signer said, so that lines can be checked against it.
        joined: it follows a sound seal without a gap, so that no line may stand between the two.
    """

    findings: tuple[Violation, ...]
    sound: bool
    joined: bool


class Chain:
    """Checks seals one after another: signature, key, number and the hash of the one before.

    Args:
        trusted: public keys (hex) that may sign; when empty, any may.
        whole: the first seal must be number 1.
    """

    def __init__(self, *, trusted: frozenset[str], whole: bool) -> None:
        self._trusted = trusted
        self._number = 0 if whole else None
        self._hash = GENESIS
        self._last_id = 0
        self._sound = True

    def check(self, seal: Seal) -> Link:
        """Check `seal`, which follows the one checked before."""
        flaw = self._flaw(seal)
        if flaw is not None:
            self._pass_over(seal)
            return Link((Violation(flaw, seal.number),), sound=False, joined=False)
        breaks = () if self._number is None else tuple(self._breaks(seal, self._number + 1))
        link = Link(breaks, sound=True, joined=self._sound and not breaks)
        self._number, self._hash, self._last_id = seal.number, seal.hash, seal.last_id
        self._sound = True
        return link

    def _flaw(self, seal: Seal) -> ViolationKind | None:
        if not seal.is_signed:
            return ViolationKind.SEAL_EDITED
        if self._trusted and seal.public_key not in self._trusted:
            return ViolationKind.SEAL_KEY_UNKNOWN
        return None if seal.format in WIDTHS else ViolationKind.SEAL_FORMAT_UNKNOWN

    def _breaks(self, seal: Seal, expected: int) -> Iterator[Violation]:
        missing = range(expected, min(seal.number, expected + MOST_FINDINGS))
        yield from (Violation(ViolationKind.SEAL_MISSING, number) for number in missing)
        follows = seal.number == expected and self._sound
        unchained = follows and (seal.previous != self._hash or seal.first_id <= self._last_id)
        if seal.number < expected or unchained:
            yield Violation(ViolationKind.SEAL_OUT_OF_CHAIN, seal.number)

    def _pass_over(self, seal: Seal) -> None:
        """Go on behind a seal that says nothing: only its place in the row still counts."""
        if self._number is None or seal.number == self._number + 1:
            self._number = seal.number
            self._sound = False


def check_lines(seal: Seal, ids: Sequence[int], hashes: Sequence[bytes]) -> list[Violation]:
    """What differs between a sound seal and the lines that stand in its place.

    Args:
        seal: with its leaf hashes.
        ids: ids of the lines, in the order in which they stand.
        hashes: their leaf hashes.
    """
    same = (
        b"".join(hashes) == seal.leaves
        and (len(ids), compress(ids)) == (seal.size, seal.ids)
        and merkle.root(hashes).hex() == seal.root
    )
    return [] if same else _differences(seal, ids, hashes)


def verify(
    database: Database,
    *,
    trusted: frozenset[str] = frozenset(),
    exported: Mapping[int, str] | None = None,
    progress: Callable[[int], None] = lambda _line: None,
) -> Verification:
    """Check every sealed line and every seal of `database`, in bounded memory.

    Args:
        database: where they are.
        trusted: public keys (hex) that may have signed; when empty, any may.
        exported: hashes of exported seals by number, which the stored ones must have.
        progress: told of the last line that was checked.
    """
    result, chain, reader = Verification(), Chain(trusted=trusted, whole=True), LineReader(database)
    with database.read() as connection:
        if has_odd_ids(connection):
            result.add(
                [Violation(ViolationKind.LINE_INSERTED, lines="with an id that is no number")]
            )
            return result
    awaited = dict(exported or {})
    for seal in read_seals(database, leaf_hashes=True):
        link = chain.check(seal)
        result.add(link.findings)
        if awaited.pop(seal.number, seal.hash) != seal.hash:
            result.add([Violation(ViolationKind.SEAL_DIFFERS, seal.number)])
        result.note(seal, sound=link.sound)
        if link.sound:
            rows = _rows_in_place(reader, seal, joined=link.joined)
            result.add(check_lines(seal, [row[0] for row in rows], leaves(rows, seal.format)))
            result.lines += len(rows)
            progress(seal.last_id)
        if result.stopped:
            return result
    result.add(Violation(ViolationKind.SEAL_MISSING, number) for number in sorted(awaited))
    result.tail = tail_after(database, result.head)
    return result


def vouched(
    seals: Iterable[Seal], *, trusted: frozenset[str]
) -> tuple[dict[int, str], list[Violation]]:
    """The hashes by number of seals that were kept elsewhere, and what is wrong with those."""
    hashes: dict[int, str] = {}
    findings: list[Violation] = []
    for seal in seals:
        known = not trusted or seal.public_key in trusted
        good = seal.is_signed and known and hashes.get(seal.number, seal.hash) == seal.hash
        if good:
            hashes[seal.number] = seal.hash
        elif len(findings) < MOST_FINDINGS:
            findings.append(Violation(ViolationKind.EXPORTED_SEAL_EDITED, seal.number))
    return hashes, findings


def tail_after(database: Database, head: Seal | None) -> Tail:
    """The lines that come after the seal `head`."""
    after = head.last_id if head else None
    found = select(func.count(), func.min(TABLE.c.id))
    with database.read() as connection:
        covered = found if after is None else found.where(TABLE.c.id > after)
        size, first = connection.execute(covered).one()
    if not size:
        return Tail()
    rows = read_page(database, after=after, limit=1)
    return Tail(size, first, str(rows[0][1]) if rows else None)


def _rows_in_place(reader: LineReader, seal: Seal, *, joined: bool) -> list[Row]:
    if not joined:
        reader.skip(seal.first_id)
    return reader.take(seal.last_id)


def _differences(seal: Seal, ids: Sequence[int], hashes: Sequence[bytes]) -> list[Violation]:
    try:
        expected = seal.line_ids()
    except (TypeError, ValueError):
        return [Violation(ViolationKind.SEAL_EDITED, seal.number)]
    found, evidence = dict(zip(ids, hashes, strict=True)), _evidence(seal, expected)
    repeated = {one for one, count in Counter(ids).items() if count > 1}
    by_problem = {
        ViolationKind.LINE_EDITED: [
            one
            for one, leaf in evidence.items()
            if found.get(one, leaf) != leaf and one not in repeated
        ],
        ViolationKind.LINE_DELETED: [one for one in expected if one not in found],
        ViolationKind.LINE_INSERTED: sorted(repeated | (found.keys() - set(expected))),
    }
    named = sorted((lines, problem) for problem, lines in by_problem.items() if lines)
    findings = [Violation(problem, seal.number, compress(lines)) for lines, problem in named]
    if not evidence:
        findings += _unexplained(seal, ids, hashes, expected)
    return findings or [Violation(ViolationKind.LINES_REORDERED, seal.number)]


def _evidence(seal: Seal, expected: Sequence[int]) -> dict[int, bytes]:
    """Leaf hash by id as it was when the lines were sealed; empty when that was edited itself."""
    hashes = seal.leaf_hashes()
    authentic = len(hashes) == len(expected) and merkle.root(hashes).hex() == seal.root
    return dict(zip(expected, hashes, strict=True)) if authentic else {}


def _unexplained(
    seal: Seal, ids: Sequence[int], hashes: Sequence[bytes], expected: Sequence[int]
) -> Iterator[Violation]:
    yield Violation(ViolationKind.SEAL_LEAVES_EDITED, seal.number)
    if list(ids) == list(expected) and merkle.root(hashes).hex() != seal.root:
        yield Violation(ViolationKind.LINES_ALTERED, seal.number, seal.ids)
