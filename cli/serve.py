"""`wif serve`: the service's face, in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.lazy import lazy_imports
from config.messages import tr

with lazy_imports():
    from cli import context, database_error
    from service import runtime as runtimes
    from service import waker as wakers

if TYPE_CHECKING:
    from service.runtime import Runtime
    from service.waker import Waker


def serve() -> None:
    """Take hints; give metrics, health and pages, until told to stop.

    It listens on WIF_WEB_ADDRESS and, for metrics and the ops page, on
    WIF_WEB_PRIVATE_ADDRESS: both are of this machine alone unless they are set.
    """
    from web.server import WebServer  # noqa: PLC0415 - settings are checked first

    settings = context.settings()
    settings.require_broker()
    database_error.warn(settings)
    made = runtimes.Runtime(settings)
    made.waker = _waker(made)
    try:
        server = WebServer(made)
        typer.echo(tr("public: {url}", url=server.public.url))
        typer.echo(tr("private: {url}", url=server.private.url))
        server.run()
    finally:
        made.close()


def _waker(made: Runtime) -> Waker:
    """Wakes workers through the broker where there is one; otherwise the sweep finds what is due.

    The web process knows no Celery, so it is given what does.
    """
    if made.settings.broker_url is None:
        return wakers.NoWaker()
    from tasks.celery import CeleryWaker  # noqa: PLC0415
    from tasks.wakeups import Wakeups  # noqa: PLC0415

    return CeleryWaker(Wakeups(made.redis_state))
