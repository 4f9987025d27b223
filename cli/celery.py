"""`wif worker` and `wif beat`: Celery on our application, whatever lies in the working directory.

`celery -A tasks` looks for `tasks` in the working directory first; here it gets the application.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import tr
from service import queues

with lazy_imports():
    from cli import context, database_error


def worker(
    queues_: Annotated[
        str, typer.Option("--queues", help="What it takes, separated by commas; by default all.")
    ] = ",".join(queues.ALL),
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Processes; by default three for two cores.")
    ] = None,
    name: Annotated[str, typer.Option(help="Its name among the workers of this host.")] = "worker",
    heartbeat: Annotated[
        bool, typer.Option("--heartbeat", help="Tell Flower every two seconds that it lives.")
    ] = False,
) -> None:
    """Run a worker in the foreground until told to stop; what it has begun is finished."""
    wanted = [queue for queue in queues_.replace(",", " ").split() if queue]
    unknown = sorted(set(wanted) - set(queues.ALL))
    if unknown or not wanted:
        raise CommandError(
            tr(
                "--queues: {names} is none of {known}",
                names=", ".join(unknown) or "-",
                known=", ".join(queues.ALL),
            ),
            code=2,
        )
    # Gossip and mingle only cost connections here.
    pool = ("--concurrency", str(concurrency)) if concurrency else ()
    quiet = () if heartbeat else ("--without-heartbeat",)
    _run(
        *("worker", "--hostname", f"{name}@%h", "--queues", ",".join(wanted), *pool),
        *("--without-gossip", "--without-mingle", *quiet),
    )


def beat() -> None:
    """Run the one beat in the foreground until told to stop.

    It keeps no schedule on disk; `beat.pulse` in WIF_VAR_DIR is young as long as ticks reach the
    broker.
    """
    _run("beat", "--scheduler", "tasks.pulse:Scheduler")


def _run(*arguments: str) -> None:
    settings = context.settings()
    settings.require_broker()
    database_error.warn(settings)
    from tasks.celery import app  # noqa: PLC0415 - reads the settings, and ends where one is wrong

    # Quiet: no banner between the lines of a log.
    sys.exit(app.start(argv=["--quiet", *arguments]) or 0)
