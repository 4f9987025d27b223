"""`wif serve` in a thread, on free ports of loopback."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config.settings import read
from service.runtime import Runtime
from tests.stage import Stage
from web.server import WebServer

ANY_PORT = {"web_address": "127.0.0.1:0", "web_private_address": "127.0.0.1:0"}

Serve = Callable[..., WebServer]


@pytest.fixture
def serve(stage: Stage) -> Iterator[Serve]:
    """Serves the stage's database; keyword arguments are settings over the stage's own."""
    running: list[tuple[WebServer, threading.Thread, Runtime]] = []

    def start(**settings: Any) -> WebServer:  # noqa: ANN401
        kept = stage.runtime.settings.model_dump()
        runtime = Runtime(
            read(**{**kept, **ANY_PORT, **settings}),
            clock=stage.runtime.clock,
            waker=stage.runtime.waker,
        )
        server = WebServer(runtime)
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread, runtime))
        return server

    yield start
    for server, thread, runtime in running:
        server.stop()
        thread.join(10)
        assert not thread.is_alive()
        runtime.close()
