"""What `wif audit verify` is given from outside, and what it says of the result."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import tr, trn

with lazy_imports():
    from cli import context
    from store.audit import seal_keys

if TYPE_CHECKING:
    from store.audit.check import Verification

_HASH = re.compile(r"[0-9a-f]{64}")


class Given:
    """What a check is made against, and what of it came from outside this installation."""

    def __init__(
        self,
        files: list[Path] | None,
        pins: list[str] | None,
        against: Path | None,
        heads: list[str] | None,
    ) -> None:
        settings = context.settings()
        wanted = {pin.lower() for pin in pins or ()} or settings.seal_pins
        if files:
            known = [key for file in files for key in seal_keys.read_public_keys(file)]
            self.trusted = seal_keys.anchored_keys(known, wanted or {key.public for key in known})
        else:
            path = settings.seal_key
            self.trusted = seal_keys.trusted_keys(path, wanted) if path else frozenset(wanted)
        self.knows_keys = bool(files or wanted)
        self.against = against
        self.journal = settings.seal_journal if settings.seal_journal.exists() else None
        self.heads = dict(map(_head, heads or ()))

    @property
    def seals_file(self) -> Path | None:
        """Where seals are kept."""
        return self.against or self.journal

    def missing(self, file: Path | None) -> Iterator[str]:
        """What has to come from outside, and was not given."""
        if not self.knows_keys:
            yield tr("a key: give --pin, --public-key, or set WIF_SEAL_PUBLIC_KEYS")
        if file is None and self.against is None and not self.heads:
            yield tr("a seal: give --head or --against with what was mailed or kept elsewhere")


def seals_counted(count: int) -> str:
    """A number of seals, in words."""
    return trn("{n} seal", "{n} seals", count)


def _head(text: str) -> tuple[int, str]:
    number, _, digest = text.partition(":")
    if not re.fullmatch(r"[0-9]{1,9}", number, re.ASCII) or not _HASH.fullmatch(digest):
        raise CommandError(
            tr("--head: is not NUMBER:HASH as it was mailed, for example 12:9f…"), code=2
        )
    return int(number), digest


def summary(result: Verification, trusted: frozenset[str]) -> dict[str, Any]:
    """The result as JSON."""
    return {
        "intact": result.intact,
        "lines": result.lines,
        "seals": result.seals,
        "findings": [
            {"problem": finding.problem, "seal": finding.seal, "lines": finding.lines}
            for finding in result.findings
        ],
        "stopped": result.stopped,
        "head": result.head and result.head.record(),
        "unsealed": result.tail,
        "withheld": result.withheld,
        "withheld_inside": result.withheld_inside,
        "signed": result.signed,
        "keys": result.keys,
        "keys_trusted": bool(trusted),
    }


def described(result: Verification, given: Given, file: Path | None) -> Iterator[str]:
    """The result as lines for a reader."""
    seals_file = given.against if file else given.seals_file
    yield trn(
        "{n} line under {seals} checked",
        "{n} lines under {seals} checked",
        result.lines,
        seals=seals_counted(result.seals),
    ) + (tr(", against {file}", file=seals_file) if seals_file else "")
    yield from map(str, result.findings)
    if result.stopped:
        yield tr("stopped here: there may be more")
    elif result.tail.size:
        tail = result.tail
        yield trn(
            "{n} line from {first} on ({since} UTC) is not sealed yet",
            "{n} lines from {first} on ({since} UTC) are not sealed yet",
            tail.size,
            first=tail.first,
            since=tail.since,
        )
    if result.withheld:
        yield trn(
            "{n} line of the seals is withheld: outside the period of the file",
            "{n} lines of the seals are withheld: outside the period of the file",
            result.withheld,
        )
    if result.withheld_inside:
        yield (
            trn(
                "{n} of them stands between lines of the period: ask why, its instant may lie "
                "outside it or not",
                "{n} of them stand between lines of the period: ask why, their instants may lie "
                "outside it or not",
                result.withheld_inside,
            )
        )
    if result.keys and not given.trusted:
        yield tr("no public key was given: compare the key that signed with the published one")
        yield from sorted(result.keys)
    if result.intact:
        for what in given.missing(file):
            yield tr(
                "NOT ANCHORED, nothing from outside vouches for it; missing: {what}", what=what
            )


def verdict(result: Verification) -> str:
    """The result in a word."""
    if not result.intact:
        return tr("TAMPERED")
    if result.signed is False:
        return tr("UNSIGNED: the lines that are there are intact; lines may have been left out")
    return tr("INTACT") if result.seals else tr("INTACT, but nothing is sealed yet")
