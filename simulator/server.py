"""The simulated TPS over HTTP."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine
from http import HTTPStatus

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.netutil import bind_sockets

from simulator.call import Call, query_of, token_of
from simulator.faults import Fault, FaultKind
from simulator.seen import Seen
from simulator.tps import Tps
from simulator.v1 import calls as v1
from simulator.v2 import calls as v2
from simulator.wire import HTML, JSON, PLAIN, drip, never_end, reset, send, truncate

PAGE = b"<!DOCTYPE html><html><body><h1>Maintenance</h1><p>Simulateur de TPS.</p></body></html>"


ADMIN = "/_simulator/"

_Admin = Callable[[HTTPServerRequest], tuple[int, bytes]]


class TpsServer:
    """Serves one TPS on a port of 127.0.0.1, in a thread or in the caller's loop.

    Attributes:
        host: the address that it listens on.
        port: the port.
        connections: how many connections were opened so far.
    """

    def __init__(
        self,
        tps: Tps,
        admin: _Admin,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Take the port; nothing is answered before `start` or `serve`.

        Args:
            tps: what is served.
            admin: answers what is below `/_simulator/`.
            host: the address to listen on.
            port: the port, 0 for any free one.
            tls: a server's context to speak TLS with.
        """
        self._tps = tps
        self._admin = admin
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
        if request.path.startswith(ADMIN):
            send(request, *self._admin(request), JSON)
            return
        call = v2.call_of(self._tps, request) or v1.call_of(self._tps, request)
        if call is None:
            self._tps.see(_unknown(request))
            send(request, HTTPStatus.NOT_FOUND, b"{}", JSON)
            return
        self._tps.see(call.seen)
        fault = self._tps.faults.of(call.procedure, call.number)
        if fault is not None:
            self._fail(request, fault, call)
        elif call.token != self._tps.token:
            send(request, call.refusal.status, call.refusal.body, call.refusal.kind)
        else:
            body = self._body(call)
            status = HTTPStatus.NOT_FOUND if body is None else HTTPStatus.OK
            send(request, status, body or b"{}", JSON)

    def _body(self, call: Call) -> bytes | None:
        with self._tps.lock:
            return call.answer()

    def _fail(self, request: HTTPServerRequest, fault: Fault, call: Call) -> None:
        match fault.kind:
            case FaultKind.HTML:
                send(request, fault.status, PAGE, HTML, fault.headers)
            case FaultKind.TEXT:
                send(request, fault.status, b"Retry later\n", PLAIN, fault.headers)
            case FaultKind.HANG:
                pass
            case FaultKind.RESET:
                reset(request)
            case FaultKind.TRUNCATED:
                self._later(truncate(request, self._body(call) or b"{}"))
            case FaultKind.DRIP:
                self._later(drip(request, self._body(call) or b"{}"))
            case FaultKind.OVERSIZED:
                self._later(never_end(request))
            case _:
                self._answer_badly(request, fault, call)

    def _answer_badly(self, request: HTTPServerRequest, fault: Fault, call: Call) -> None:
        with self._tps.lock:
            body = None if fault.kind is FaultKind.JSON else call.defective(fault)
        status = fault.status if body is None else HTTPStatus.OK
        send(request, status, body or b"{}", JSON, fault.headers)

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._slow.add(task)
        task.add_done_callback(self._slow.discard)


class _CountingServer(HTTPServer):
    """Counts the connections that are opened, so that tests see whether they are kept."""

    owner: TpsServer

    def handle_stream(self, stream: object, address: object) -> None:
        self.owner.connections += 1
        super().handle_stream(stream, address)  # type: ignore[arg-type]


def _unknown(request: HTTPServerRequest) -> Seen:
    query = query_of(request)
    _, place = token_of(request, query)
    query.pop("token", None)
    return Seen(str(request.method), request.path, query, place)
