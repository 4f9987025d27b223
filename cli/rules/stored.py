"""Rule sets that were put in force: found by the beginning of their hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import mark, tr

with lazy_imports():
    from store import rulesets

if TYPE_CHECKING:
    from service.runtime import Runtime


SHORTEST_HASH = 6
"""Digits by which a rule set can be named."""


def active_document(running: Runtime) -> str:
    """The document of the rule set in force.

    Raises:
        CommandError: none ever was.
    """
    with running.database.read() as connection:
        digest = rulesets.active(connection)
        found = rulesets.document(connection, digest) if digest else None
    if found is None:
        raise CommandError(tr("no rule set was ever put in force: `wif rules publish` does so"))
    return found


def previous_hash(running: Runtime) -> str:
    """The hash of the rule set that was in force before another one."""
    with running.database.read() as connection:
        found = [activation.hash for activation in rulesets.history(connection)]
    before = next((digest for digest in found if digest != found[0]), None)
    if before is None:
        raise CommandError(tr("no other rule set was in force before"))
    return before


def stored_document(running: Runtime, beginning: str) -> str:
    """The stored document whose hash begins so."""
    with running.database.read() as connection:
        hashes = {activation.hash for activation in rulesets.history(connection, limit=10_000)}
        found = [digest for digest in hashes if digest.startswith(beginning.casefold())]
        if len(beginning) < SHORTEST_HASH or len(found) != 1:
            said = (
                mark(
                    "{beginning}: is the beginning of several rule sets; give at least {least} "
                    "characters of a hash that `wif rules history` shows"
                )
                if len(found) > 1
                else mark(
                    "{beginning}: is no rule set; give at least {least} characters of a hash that "
                    "`wif rules history` shows"
                )
            )
            raise CommandError(tr(said, beginning=beginning, least=SHORTEST_HASH), code=2)
        document = rulesets.document(connection, found[0])
    if document is None:
        raise CommandError(tr("{found}: is not stored any more", found=found[0]))
    return document
