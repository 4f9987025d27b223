"""What every command starts from: settings, database, logs, and one way to say what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import for_people, tr

with lazy_imports():
    import orjson

    from config import logs
    from config import settings as config_settings
    from routing import facts
    from service import actor
    from service import runtime as service_runtime
    from store import schema

if TYPE_CHECKING:
    from config.settings import Settings
    from service.runtime import Runtime


def settings() -> Settings:
    """The settings of this process, with logging set up.

    A command says on the terminal what it did, so it logs from WARNING on unless
    WIF_LOG_LEVEL asks for something else.
    """
    found = config_settings.load()
    level = found.log_level if "log_level" in found.model_fields_set else "WARNING"
    logs.configure(json=found.env is config_settings.Environment.PRODUCTION, level=level)
    return found


@contextmanager
def runtime(*, migrate: bool = False) -> Iterator[Runtime]:
    """What a command works with; its connections are closed at the end.

    Args:
        migrate: bring the database to the newest schema first; otherwise a database
            that is not there yet is brought to it, and an outdated one refused.

    Raises:
        CommandError: the database has an older schema.
    """
    made = service_runtime.Runtime(settings())
    made.actor = actor.actor_of(made.settings)
    try:
        _prepare(made, migrate=migrate)
        yield made
    finally:
        made.close()


def _prepare(made: Runtime, *, migrate: bool) -> None:
    if schema.is_current(made.database):
        return
    if not migrate and not schema.is_empty(made.database):
        raise CommandError(
            tr("the database has an older schema than this program: run `wif db upgrade`")
        )
    schema.upgrade(made.database)


def show_json(value: Any, *, one_line: bool = False) -> None:  # noqa: ANN401
    """Print `value` as JSON: enums as their values, instants in ISO 8601."""
    option = orjson.OPT_NON_STR_KEYS | (0 if one_line else orjson.OPT_INDENT_2)
    sys.stdout.write(orjson.dumps(value, default=_plain, option=option).decode() + "\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def fail(message: str, code: int = 1) -> NoReturn:
    """End the command with `message` on standard error."""
    tell(message)
    raise typer.Exit(code)


def tell(message: str) -> None:
    """Say something on standard error, in the language of people also beside JSON."""
    typer.echo(for_people(message), err=True)


def confirmed(question: str) -> bool:
    """Ask on the terminal; an empty answer is no."""
    choices = tr("[y/N]")
    answer = typer.prompt(f"{question} {choices}", default="", show_default=False)
    return str(answer).strip().casefold() in {"y", "yes", "o", "oui"}


def dossier_key(text: str) -> tuple[int, int]:
    """`PROCEDURE/NUMBER` as two numbers.

    Raises:
        CommandError: it is not of that form.
    """
    procedure, _, number = text.partition("/")
    if not (procedure.isascii() and procedure.isdigit() and number.isascii() and number.isdigit()):
        raise CommandError(
            tr("a dossier is given as PROCEDURE/NUMBER, for example 13760/123456"), code=2
        )
    if int(procedure) > facts.LARGEST_PROCEDURE or int(number) > facts.LARGEST_NUMBER:
        raise CommandError(tr("no dossier has such a number: is it PROCEDURE/NUMBER?"), code=2)
    return int(procedure), int(number)
