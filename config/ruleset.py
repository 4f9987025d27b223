"""From a directory that an admin edits to a rule set that is in force.

`read_directory` refuses a wrong configuration, with every mistake at once; what it returns is
a document that can be stored, and that `compile_document` turns into a rule set.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from config.checks.every import check
from config.diagnostics import ConfigurationError, Diagnostic
from config.document import compile_document, document_hash, document_of, write_document
from config.loader import Configuration, read
from routing.calendar import PARIS
from routing.ruleset import RuleSet

__all__ = [
    "ConfigurationError",
    "Diagnostic",
    "check_directory",
    "compile_document",
    "document_hash",
    "load_directory",
    "read_directory",
]


def read_directory(path: Path, *, production: bool = False, on: date | None = None) -> str:
    """The document of the configuration in a directory.

    Args:
        path: the directory with the four files.
        production: whether to refuse what is only good for a trial (mailboxes in `.example`).
        on: the day of the check, today in Europe/Paris when not given.

    Raises:
        ConfigurationError: with every mistake.
    """
    configuration, mistakes = check_directory(path, production=production, on=on)
    if mistakes:
        raise ConfigurationError(mistakes)
    return write_document(document_of(configuration))


def load_directory(path: Path, *, production: bool = False, on: date | None = None) -> RuleSet:
    """The rule set of the configuration in a directory.

    Raises:
        ConfigurationError: with every mistake.
    """
    return compile_document(read_directory(path, production=production, on=on))


def check_directory(
    path: Path, *, production: bool = False, on: date | None = None
) -> tuple[Configuration, list[Diagnostic]]:
    """What could be read of a directory, and everything that is wrong with it."""
    with _no_collection():
        configuration = read(path, production=production, on=on or datetime.now(PARIS).date())
        check(configuration)
    return configuration, sorted(configuration.mistakes)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Trees hold no circles: looking for some takes as long as reading 20,000 units."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
