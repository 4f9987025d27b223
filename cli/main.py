"""The `wif` command: the map of what it can do, and one line for whatever goes wrong."""

import os
import sys
from importlib import import_module

import typer
from sqlalchemy.exc import SQLAlchemyError

from cli.context import Problem
from config.ruleset import ConfigurationError
from config.settings import SettingsError
from routing.failures import TABLE, Failure
from tasks.reassigning import ReassignmentRefused

COMMANDS = {
    "demo": "cli.demo:demo",
    "run-once": "cli.service:run_once_",
    "up": "cli.service:up",
    "status": "cli.status:status",
    "doctor": "cli.doctor:doctor",
    "dossiers": "cli.dossiers:app",
    "deliveries": "cli.deliveries:app",
    "procedures": "cli.procedures:app",
    "rules": "cli.rules:app",
    "audit": "cli.audit:app",
    "purge": "cli.purge:purge_",
    "db": "cli.database:app",
    "tps-simulator": "cli.simulator:tps_simulator",
}
"""Where each command stands. Only the one that is called is imported."""


def build(called: str | None = None) -> typer.Typer:
    """The command line; with only the command that is `called`, where that is one of ours."""
    app = typer.Typer(
        name="wif", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    app.callback(help="Routes work-authorization dossiers from TPS to the competent office.")(_wif)
    for name in [called] if called in COMMANDS else COMMANDS:
        module, _, attribute = COMMANDS[name].partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def _wif() -> None:
    pass


def main() -> None:
    """Run the command; whatever is foreseen to go wrong ends in one line, not in a traceback."""
    try:
        build(next(iter(sys.argv[1:]), None))()
    except Problem as problem:
        _end(str(problem), problem.code)
    except SettingsError as error:
        _end(str(error), 2)
    except ConfigurationError as error:
        _end(str(error), 2 if error.unreadable else 1)
    except ReassignmentRefused as error:
        _end(str(error), 1)
    except Failure as failure:
        _end(f"{failure}: {TABLE[failure.cause].meaning}", 1)
    except SQLAlchemyError as error:
        _end(
            f"the database cannot be used ({type(error).__name__}): see WIF_DATABASE_URL, "
            "and `wif doctor`",
            1,
        )
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OverflowError:
        _end("a number is larger than any that is stored", 2)
    except OSError as error:
        _end(f"{error.filename or 'a file or port'}: cannot be used ({type(error).__name__})", 1)


def _end(message: str, code: int) -> None:
    sys.stderr.write(message + "\n")
    sys.exit(code)
