"""`wif ping`: whether a worker of this host consumes; for health checks."""

from __future__ import annotations

import socket
from typing import Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import tr

with lazy_imports():
    from config import settings


def ping(
    worker: Annotated[str, typer.Argument(help="Name of the worker on this host.")] = "worker",
    within: Annotated[
        float, typer.Option("--within", min=0.1, help="Seconds until it counts as deaf.")
    ] = 30.0,
) -> None:
    """Send a worker of this host a message, and wait until it was worked on.

    Exit code 1: it was not; the worker is dead, deaf, or all its processes hang.
    """
    settings.load()
    from tasks.celery import app, runtime  # noqa: PLC0415 - reads the settings
    from tasks.ping import consumes  # noqa: PLC0415

    name = worker if "@" in worker else f"{worker}@{socket.gethostname()}"
    if not consumes(app.tasks["wif.ping"], name, runtime().redis_state, within=within):
        raise CommandError(
            tr(
                "the worker {name} took no message within {within} s",
                name=name,
                within=f"{within:g}",
            )
        )
    typer.echo(tr("{name} consumes", name=name))
