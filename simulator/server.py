"""The simulated TPS over HTTP."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Coroutine, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.netutil import bind_sockets

from simulator.admin import PREFIX, Admin
from simulator.faults import Fault, FaultKind
from simulator.rendering import Era
from simulator.seen import Seen, TokenPlace
from simulator.wire import HTML, JSON, PLAIN, drip, never_end, reset, send, truncate

if TYPE_CHECKING:
    from simulator.simulator import Simulator

PAGE = b"<!DOCTYPE html><html><body><h1>Maintenance</h1><p>Simulateur de TPS.</p></body></html>"


class Server:
    """Serves one simulator on a port of 127.0.0.1, in a thread or in the caller's loop.

    Attributes:
        simulator: what is served.
        host: the address that it listens on.
        port: the port.
        connections: how many connections were opened so far.
    """

    def __init__(
        self,
        simulator: "Simulator",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Take the port; nothing is answered before `start` or `serve`.

        Args:
            simulator: what is served.
            host: the address to listen on.
            port: the port, 0 for any free one.
            tls: a server's context to speak TLS with.
        """
        self.simulator = simulator
        self._admin = Admin(simulator)
        self._sockets = bind_sockets(port, host, family=socket.AF_INET)
        self._tls = tls
        self._thread = threading.Thread(target=self._run, name="tps-simulator", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._slow: set[asyncio.Task[None]] = set()
        self.host = host
        self.port: int = self._sockets[0].getsockname()[1]
        self.connections = 0

    @property
    def url(self) -> str:
        """The address to give to a client."""
        scheme = "https" if self._tls else "http"
        name = "localhost" if self._tls else self.host
        return f"{scheme}://{name}:{self.port}"

    def start(self) -> None:
        """Serve from a thread; returns when it answers."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Close every connection and end the thread."""
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def serve(self, stop: asyncio.Event) -> None:
        """Serve in the caller's loop until `stop` is set."""
        http = _CountingServer(self._answer, ssl_options=self._tls)
        http.owner = self
        http.add_sockets(self._sockets)
        self._ready.set()
        await stop.wait()
        http.stop()
        for task in self._slow:
            task.cancel()
        await http.close_all_connections()

    def _run(self) -> None:
        async def main() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            await self.serve(self._stop)

        asyncio.run(main())

    def _answer(self, request: HTTPServerRequest) -> None:
        if request.path.startswith(PREFIX):
            status, document = self._admin.answer(request)
            send(request, status, document, JSON)
            return
        query = {key: values[-1].decode() for key, values in request.query_arguments.items()}
        token, place = _token(request, query)
        query.pop("token", None)
        self.simulator.see(Seen(str(request.method), request.path, query, place))
        numbers = _numbers(request.path)
        if numbers is None or request.method != "GET":
            send(request, HTTPStatus.NOT_FOUND, b"{}", JSON)
            return
        fault = self.simulator.faults.of(*numbers)
        if fault is not None:
            self._fail(request, fault, numbers)
        elif token != self.simulator.token:
            self._refuse(request)
        else:
            body = self._body(request.path, numbers, query)
            status = HTTPStatus.NOT_FOUND if body is None else HTTPStatus.OK
            send(request, status, body or b"{}", JSON)

    def _body(
        self, path: str, numbers: tuple[int, int | None], query: Mapping[str, str]
    ) -> bytes | None:
        procedure, number = numbers
        if number is not None:
            return self.simulator.detail(procedure, number)
        if path.endswith("/dossiers"):
            return self.simulator.listing(procedure, query)
        return self.simulator.procedure(procedure)

    def _refuse(self, request: HTTPServerRequest) -> None:
        if self.simulator.era is Era.Y2018:
            send(request, HTTPStatus.UNAUTHORIZED, b"{}", JSON)
        else:
            send(request, HTTPStatus.UNAUTHORIZED, b"HTTP Token: Access denied.\n", PLAIN)

    def _fail(
        self, request: HTTPServerRequest, fault: Fault, numbers: tuple[int, int | None]
    ) -> None:
        match fault.kind:
            case FaultKind.HTML:
                send(request, fault.status, PAGE, HTML, fault.headers)
            case FaultKind.JSON:
                send(request, fault.status, b"{}", JSON, fault.headers)
            case FaultKind.MALFORMED:
                send(request, HTTPStatus.OK, b'{"dossiers":{},"dossier":[]}', JSON)
            case FaultKind.HANG:
                pass
            case FaultKind.RESET:
                reset(request)
            case FaultKind.TRUNCATED:
                self._later(truncate(request, self._whole(request, numbers)))
            case FaultKind.DRIP:
                self._later(drip(request, self._whole(request, numbers)))
            case FaultKind.OVERSIZED:
                self._later(never_end(request))

    def _whole(self, request: HTTPServerRequest, numbers: tuple[int, int | None]) -> bytes:
        return self._body(request.path, numbers, {}) or b"{}"

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._slow.add(task)
        task.add_done_callback(self._slow.discard)


class _CountingServer(HTTPServer):
    """Counts the connections that are opened, so that tests see whether they are kept."""

    owner: Server

    def handle_stream(self, stream: object, address: object) -> None:
        self.owner.connections += 1
        super().handle_stream(stream, address)  # type: ignore[arg-type]


def _token(request: HTTPServerRequest, query: Mapping[str, str]) -> tuple[str | None, TokenPlace]:
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer "), TokenPlace.HEADER
    if "token" in query:
        return query["token"], TokenPlace.QUERY
    return None, TokenPlace.NONE


def _numbers(path: str) -> tuple[int, int | None] | None:
    """The procedure and the dossier that a path of v1 names, None for any other path."""
    parts = path.strip("/").split("/")
    match parts:
        case ["api", "v1", "procedures", procedure]:
            found = [procedure]
        case ["api", "v1", "procedures", procedure, "dossiers"]:
            found = [procedure]
        case ["api", "v1", "procedures", procedure, "dossiers", number]:
            found = [procedure, number]
        case _:
            return None
    if not all(each.isascii() and each.isdigit() for each in found):
        return None
    return int(found[0]), int(found[1]) if len(found) > 1 else None
