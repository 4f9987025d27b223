"""`wif serve`: the service's face, in the foreground."""

import typer

from cli import context
from service.runtime import Runtime


def serve() -> None:
    """Take hints; give metrics, health and pages, until told to stop.

    It listens on WIF_WEB_ADDRESS and, for metrics and the ops page, on
    WIF_WEB_PRIVATE_ADDRESS: both are of this machine alone unless they are set.
    """
    from web.server import WebServer  # noqa: PLC0415 - settings are checked first

    made = Runtime(context.settings())
    try:
        server = WebServer(made)
        typer.echo(f"public: {server.public.url}")
        typer.echo(f"private: {server.private.url}")
        server.run()
    finally:
        made.close()
