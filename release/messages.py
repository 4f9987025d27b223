"""The catalogue of translations: `make messages` brings it up to date with the sources.

    python -m release.messages            # update wif.po and compile wif.mo

The English text is the key. What is translated: arguments of `tr`, `trn` and `mark`, the help of
every command, and the texts of the tables that the domain and the connectors keep.
"""

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from cli import help_texts, language
from cli.language import DOMAIN, LOCALE
from cli.main import COMMANDS, build
from connectors.alarm.meanings import MEANINGS
from connectors.channel import SkipReason
from connectors.tps.errors import Operation
from routing.assignment import Event
from routing.conditions import Attribute
from routing.facts import DepartmentSource, DossierState, Filer
from routing.failures import TABLE
from routing.form_fields import FieldMismatch
from store.audit.log import Step
from store.procedures import ProcedureStatus
from store.states import DeliveryState, DossierStatus

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("cli", "config", "service", "routing")
KEYWORDS = {"tr": None, "mark": None, "say": None, "trn": (1, 2)}
FRENCH = LOCALE / "fr" / "LC_MESSAGES" / f"{DOMAIN}.po"
WIDTH = 100

CODES: tuple[type[StrEnum], ...] = (
    *(DossierStatus, DeliveryState, ProcedureStatus, DossierState, Filer, Event, Attribute),
    *(DepartmentSource, FieldMismatch, SkipReason, Step, Operation),
)
"""Codes that are shown in words."""

Key = str | tuple[str, ...]


def keys() -> set[Key]:
    """Every text that is said in the language of the program."""
    return {*_of_sources(), *_of_commands(), *_of_tables()}


def _of_sources() -> Iterator[Key]:
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for _line, key, _comments, _context in extract_from_file(
                "python", path, keywords=KEYWORDS
            ):
                yield key


def _of_commands() -> Iterator[str]:
    language.use(language.ENGLISH)
    for name in COMMANDS:
        yield from help_texts.texts(build(name))


def _of_tables() -> Iterator[str]:
    yield from (verdict.meaning for verdict in TABLE.values())
    for meaning in MEANINGS.values():
        yield from (meaning.title, meaning.advice)
    for codes in CODES:
        yield from (code.value for code in codes)


def read(path: Path = FRENCH) -> Catalog:
    """The catalogue as it is kept."""
    with path.open("rb") as file:
        return read_po(file, locale="fr", domain=DOMAIN)


def updated(catalog: Catalog) -> Catalog:
    """`catalog` with the texts of now: new ones without a translation, old ones left out."""
    wanted = Catalog(domain=DOMAIN)
    for key in sorted(keys(), key=str):
        wanted.add(key)
    catalog.update(wanted, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    return catalog


def main() -> None:
    """Write the catalogue anew, and say what is not translated yet."""
    catalog = updated(read())
    with FRENCH.open("wb") as file:
        write_po(file, catalog, width=WIDTH, sort_output=True)
    with FRENCH.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalog)
    missing = [message.id for message in catalog if message.id and not _is_whole(message.string)]
    for key in missing:
        sys.stdout.write(f"not translated: {key!r}\n")
    sys.exit(1 if missing else 0)


def _is_whole(translation: object) -> bool:
    return all(translation) if isinstance(translation, tuple | list) else bool(translation)


if __name__ == "__main__":
    main()
