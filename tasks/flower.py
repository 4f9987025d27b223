"""Flower, answering only requests that were made to a name of this machine.

Flower itself takes any `Host`, so a page anywhere could make a visitor's browser read it
under a name of its own that leads to loopback (DNS rebinding).
"""

import sys
from typing import Any

from flower import command
from flower.app import Flower
from tornado.web import ErrorHandler

from config.settings import load
from tasks.celery import app

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})


class LocalFlower(Flower):  # type: ignore[misc] # Flower is not typed
    """Flower behind a check of the requests' `Host`."""

    def find_handler(self, request: Any, **options: Any) -> Any:  # noqa: ANN401
        """Flower's response to the request; 403 when it was made to another name."""
        if request.host_name not in LOOPBACK | set(load().flower_hosts.replace(",", " ").split()):
            return self.get_handler_delegate(request, ErrorHandler, {"status_code": 403})
        return super().find_handler(request, **options)


def main() -> None:
    """Run `celery flower` on our application with the arguments of this program.

    `celery -A tasks` would take a `tasks` of the working directory for it.
    """
    command.Flower = LocalFlower
    sys.exit(app.start(argv=["flower", *sys.argv[1:]]) or 0)


if __name__ == "__main__":
    main()
