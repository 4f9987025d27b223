"""What the `wif rules` commands have in common: their options, and where rules come from."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import said_by, tr
from routing.calendar import PARIS
from routing.ruleset import Outcome, RuleSet
from routing.territory import departments
from routing.units import Unit

with lazy_imports():
    from cli import context
    from config import ruleset, schema
    from config import settings as config_settings

if TYPE_CHECKING:
    from config.settings import Settings


MISTAKES = 1
UNREADABLE = 2

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Directory = Annotated[
    Path | None,
    typer.Argument(help="Folder with the four files; WIF_CONFIG_DIR when not given."),
]
Day = Annotated[
    date | None,
    typer.Option(
        "--on",
        parser=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="Day of decision, today (Europe/Paris) when not given.",
    ),
]


def today() -> date:
    """The present day in Europe/Paris."""
    return datetime.now(PARIS).date()


def folder(directory: Path | None, settings: Settings) -> Path:
    """The folder that was asked for; one that may be taken for it is named on standard error."""
    used = directory or settings.config_dir
    here = Path("config")
    chosen = directory is not None or "config_dir" in settings.model_fields_set
    if not chosen and _holds_rules(here) and not here.samefile(used):
        text = tr(
            "warning: {used} is used, not {here}: set WIF_CONFIG_DIR={here} (`cp .env.example "
            ".env` does), or give the folder",
            used=used,
            here=here,
        )
        context.tell(text)
    return used


def _holds_rules(directory: Path) -> bool:
    return all((directory / name).is_file() for name in schema.FILES)


def is_production(settings: Settings) -> bool:
    """Whether what is good for a trial only is refused."""
    return settings.env is config_settings.Environment.PRODUCTION


def document_in(directory: Path, settings: Settings) -> str:
    """The document of the configuration in a folder.

    Raises:
        CommandError: it has mistakes; one line for each.
    """
    try:
        return ruleset.read_directory(directory, production=is_production(settings))
    except ruleset.ConfigurationError as error:
        raise CommandError(
            said_by(error), code=UNREADABLE if error.unreadable else MISTAKES
        ) from None


def rules_in(directory: Path | None) -> RuleSet:
    """The rule set of a folder, without a look at any database.

    Raises:
        CommandError: it has mistakes.
    """
    settings = context.settings()
    return ruleset.compile_document(document_in(folder(directory, settings), settings))


def short(digest: str) -> str:
    """A rule set's hash, as people quote it."""
    return digest[:12]


def place(department: str | None) -> str:
    """A département as it is shown; a dash for unknown."""
    known = departments().get(department or "")
    return f"{known.code} {known.name}" if known else department or "–"


def told(outcome: Outcome) -> str:
    """How an outcome is told, where that is not as usual: behind the units that get the dossier."""
    parts = []
    if outcome.inform:
        parts.append(tr("informs {units}", units=", ".join(outcome.inform)))
    if outcome.notify:
        parts.append(tr("notify: {how}", how=outcome.notify))
    return f" ({'; '.join(parts)})" if parts else ""


def mailboxes(unit: Unit) -> str:
    """Where the unit is told."""
    return ", ".join(channel.address for channel in unit.channels)
