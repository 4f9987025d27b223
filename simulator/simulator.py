"""The simulated TPS as a test or a demonstration has it: controls, and a server."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from simulator.admin import Admin
from simulator.controls import Controls
from simulator.server import TpsServer
from simulator.tps import TOKEN

__all__ = ["TOKEN", "Server", "Simulator"]


class Simulator(Controls):
    """A TPS in memory. Its methods may be called from any thread while it serves."""

    @contextmanager
    def serve(self, *, port: int = 0, tls: ssl.SSLContext | None = None) -> "Iterator[Server]":
        """Serve on a port of 127.0.0.1 (0: any free one) from a thread, while the block runs."""
        server = Server(self, port=port, tls=tls)
        server.start()
        try:
            yield server
        finally:
            server.stop()


class Server(TpsServer):
    """A server of one simulator.

    Attributes:
        simulator: what is served.
    """

    def __init__(
        self,
        simulator: Simulator,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Take the port; nothing is answered before `start` or `serve`."""
        super().__init__(simulator, Admin(simulator).answer, host=host, port=port, tls=tls)
        self.simulator = simulator
