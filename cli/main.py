"""The `wif` command: the map of what it can do, and one line for each error.

What a command needs is imported when it is used: help and completion need none of it.
"""

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from cli import exit_codes, help_texts, language
from cli.command_error import CommandError
from cli.parser_errors import explained
from config.messages import for_people, mark, said_by, tr

if TYPE_CHECKING:
    from typer.core import TyperGroup

COMMANDS = {
    "demo": ("cli.demo:demo", "Run the whole service on embedded parts and generated dossiers."),
    "init": ("cli.init:init", "Write a folder to edit: default rules, and an example of `.env`."),
    "run-once": ("cli.service:run_once_", "Poll, route and deliver once in this process."),
    "up": ("cli.service:up", "Run worker, beat and, if asked, Flower in the foreground."),
    "worker": ("cli.celery:worker", "Run a Celery worker in the foreground."),
    "beat": ("cli.celery:beat", "Run the one Celery beat in the foreground."),
    "ping": ("cli.ping:ping", "Ask a worker of this host whether it consumes; for health checks."),
    "serve": ("cli.serve:serve", "Take hints, give metrics, health and pages, on loopback."),
    "status": ("cli.status:status", "Show lag, what waits and what needs a look."),
    "stats": ("cli.stats:stats", "Public statistics: publish, write the page."),
    "doctor": (
        "cli.doctor.command:doctor",
        "Check settings, rules, database, broker, TPS and mail.",
    ),
    "dossiers": ("cli.dossiers:app", "Dossiers: list, show, reassign, unpin."),
    "deliveries": ("cli.deliveries:app", "Deliveries: list, replay."),
    "channels": ("cli.channels:app", "Channels of units: list, test, enable."),
    "procedures": ("cli.procedures:app", "Procedures: list, resume."),
    "rules": ("cli.rules:app", "Rules: check, simulate, explain, publish, roll back."),
    "audit": ("cli.audit:app", "The audit log: verify, prove, trace, export."),
    "keys": ("cli.keys:app", "Keys and secrets: how old they are, and rotating them."),
    "webhooks": ("cli.webhooks:app", "Webhooks of TPS: list, create, renew, enable."),
    "purge": ("cli.purge:purge_", "Remove dossiers that were kept for as long as they may be."),
    "report": ("cli.report:report", "Write the reports of a month as .xlsx files."),
    "backup": ("cli.backup:backup", "Back up the database, rules, keys and seals."),
    "restore": ("cli.backup:restore_", "Restore a backup into an empty database."),
    "db": ("cli.database:app", "The database's schema."),
    "tps-simulator": ("cli.simulator:tps_simulator", "Serve a TPS with generated dossiers."),
}
"""Where each command stands, and what the list of commands says of it."""


def build(called: str | None = None) -> "TyperGroup":
    """The command line; of commands that are not `called` only name and line of help."""
    app = typer.Typer(name="wif", no_args_is_help=True, pretty_exceptions_enable=False)
    about = mark("Routes work-authorization dossiers from TPS to the competent office.")
    app.callback(help=about, epilog=_epilog())(_wif)
    for name, (place, summary) in COMMANDS.items():
        if name != called:
            app.command(name, help=summary)(_elsewhere)
            continue
        module, _, attribute = place.partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    command: Any = get_command(app)
    help_texts.translate(command)
    group: TyperGroup = command
    return group


def _epilog() -> str:
    """What the list of commands ends with: the exit codes."""
    return tr("Exit codes:") + "\n\n" + "\n\n".join(exit_codes.lines())


def _elsewhere() -> None:
    """Stands in the list for a command that is not called."""


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - takes as long as all the rest

        typer.echo(f"wif {version('work-in-france-routing')}")
        raise typer.Exit


def _wif(
    _version: bool = typer.Option(
        False,
        "--version",
        callback=_show_version,
        is_eager=True,
        help=mark("Print the version."),
    ),
) -> None:
    pass


def _called() -> str | None:
    """The command that is called, or whose words are completed."""
    words = sys.argv[1:] or os.environ.get("COMP_WORDS", "").split()[1:]
    return next((word for word in words if word in COMMANDS), None)


def _path_of_called() -> str:
    """The command whose words could not be read, where the parser does not say which."""
    command: Any = build(_called())
    path = ["wif"]
    for word in sys.argv[1:]:
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            break
        path.append(word)
    return " ".join(path)


def main() -> None:
    """Run the command; a foreseen error ends in one line, not in a traceback."""
    # What a command writes is readable by its user alone.
    os.umask(0o077)
    language.use(language.chosen(os.environ))
    try:
        ended = build(_called()).main(standalone_mode=False)
        sys.exit(ended if isinstance(ended, int) else 0)
    except TyperException as error:
        _refuse(error)
    except typer.Abort:
        _end(tr("aborted"), 1)
    except CommandError as problem:
        _end(said_by(problem), problem.code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OverflowError:
        _end(tr("a number is larger than any that is stored"), 2)
    except OSError as error:
        name = error.filename or tr("a file or port")
        _end(tr("{name}: cannot be used ({why})", name=name, why=_of_the_system(error)), 1)
    except Exception as error:
        foreseen = _foreseen(error)
        if foreseen is None:
            raise
        _end(*foreseen)


def _of_the_system(error: OSError) -> str:
    from config.foreign_messages import translated  # noqa: PLC0415 - only when it went wrong

    return translated(error.strerror) if error.strerror else type(error).__name__


def _foreseen(error: Exception) -> tuple[str, int] | None:
    """What is said of an error, and the exit code; None for one that nobody foresaw."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - only when it went wrong

    from cli import codes, database_error  # noqa: PLC0415
    from config.diagnostics import ConfigurationError  # noqa: PLC0415
    from config.settings import SettingsError  # noqa: PLC0415
    from routing.failures import Failure  # noqa: PLC0415
    from service.reassign import ReassignmentRefused  # noqa: PLC0415

    match error:
        case SettingsError():
            return said_by(error), 2
        case ConfigurationError():
            return said_by(error), 2 if error.unreadable else 1
        case ReassignmentRefused():
            return said_by(error), 1
        case Failure():
            return codes.failed(error), 1
        case SQLAlchemyError():
            return database_error.explained(error), 1
    return None


def _refuse(error: TyperException) -> None:
    """End with what the parser did not understand, and where the help is."""
    context: Any = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.exit(error.exit_code)  # its help has been printed
    path = context.command_path if context is not None else _path_of_called()
    said = explained(error.format_message(), said_by(error))
    text = tr("{command}: {said}; see `{command} --help`", command=path, said=said)
    _end(text, error.exit_code)


def _end(message: str, code: int) -> None:
    sys.stderr.write(for_people(message) + "\n")
    sys.exit(code)
