"""Both addresses of the web process, served by one event loop until it is told to stop."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn
from anyio.to_thread import current_default_thread_limiter
from starlette.types import ASGIApp

from config.settings import PREFIX, Address, SettingsError
from service.runtime import Runtime
from web import app, limits
from web.protocol import BoundedProtocol


class _Uvicorn(uvicorn.Server):
    """A uvicorn server beside others: signals are taken once, for all of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


@dataclass(frozen=True, slots=True)
class Site:
    """One address and what is served there."""

    listener: socket.socket
    server: _Uvicorn

    @property
    def url(self) -> str:
        """Its address with the port that was opened."""
        host, port = self.listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class WebServer:
    """The public and the private site. Both ports are open from the start, both or none.

    Raises:
        SettingsError: an address cannot be opened.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        settings = runtime.settings
        self.public = _site("WEB_ADDRESS", settings.public_address, app.public(runtime))
        try:
            private = app.private(runtime)
            self.private = _site("WEB_PRIVATE_ADDRESS", settings.private_address, private)
        except SettingsError:
            self.public.listener.close()
            raise

    def run(self) -> None:
        """Serve until `stop` is called or a signal comes."""
        asyncio.run(self._serve())

    def stop(self) -> None:
        """Finish the answers under way and end. For any thread."""
        for site in (self.public, self.private):
            site.server.should_exit = True

    async def _serve(self) -> None:
        current_default_thread_limiter().total_tokens = limits.THREADS
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, self.stop)
        async with asyncio.TaskGroup() as both:
            for site in (self.public, self.private):
                both.create_task(self._serve_one(site))

    async def _serve_one(self, site: Site) -> None:
        try:
            await site.server.serve(sockets=[site.listener])
        finally:
            # One without the other would look well from outside.
            self.stop()


def _site(setting: str, address: Address, served: ASGIApp) -> Site:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listener = socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise SettingsError(
            f"{PREFIX}{setting}: cannot be opened ({type(error).__name__}); "
            "give an address of this machine and a free port"
        ) from None
    return Site(listener, _Uvicorn(_configured(served)))


def _configured(served: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        served,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        # Nonsense that is sent must not fill the log.
        log_level="error",
        access_log=False,
        server_header=False,
        # The peer's address is not used here, so no header that claims one is believed.
        proxy_headers=False,
        h11_max_incomplete_event_size=limits.HEADER_BYTES,
        limit_concurrency=limits.CONNECTIONS,
        timeout_keep_alive=limits.IDLE_SECONDS,
        timeout_graceful_shutdown=limits.GRACE_SECONDS,
    )
