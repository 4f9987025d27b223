"""TPS on the wire: answers full of markers, some of which stop half-way."""

import re
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from queue import Queue

from tests.privacy import documents
from tests.privacy.documents import Tps


@dataclass
class Halt:
    """A connection that stopped in the middle of an answer: of which procedure, to which port."""

    procedure: int
    port: int


class Conversation:
    """Answers each request as `Tps` says, and stops half-way where it says so."""

    _DETAIL = re.compile(rb"GET /api/v1/procedures/(\d+)/dossiers/(\d+)")
    _LIST = re.compile(rb"GET /api/v1/procedures/(\d+)(/dossiers)?[? ]")

    def __init__(self, tps: Tps, halts: "Queue[Halt]") -> None:
        self._tps = tps
        self._halts = halts
        self._told: set[int] = set()
        self._lock = threading.Lock()

    def __call__(self, sock: socket.socket, request: bytes) -> None:
        if detail := self._DETAIL.match(request):
            self._detail(sock, int(detail[1]), int(detail[2]))
        elif listing := self._LIST.match(request):
            sock.sendall(self._tps.listing(int(listing[1])))
        else:
            sock.sendall(self._tps.http(self._tps.page(), 200, Content_Type="text/html"))
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    def _detail(self, sock: socket.socket, procedure: int, number: int) -> None:
        answer = self._tps.details.get(number)
        if answer is None:
            sock.sendall(self._tps.http(self._tps.page(), 404))
            return
        sock.sendall(answer.data)
        if answer.hangs:
            self._halt(sock, procedure)

    def _halt(self, sock: socket.socket, procedure: int) -> None:
        """Keep the reader waiting: in silence, or with a blank now and then."""
        with self._lock:
            first = procedure in documents.HALTS and procedure not in self._told
            self._told.add(procedure)
        if not first:
            with suppress(OSError):
                sock.recv(1)
            return
        self._halts.put(Halt(procedure, sock.getpeername()[1]))
        until_gone = time.monotonic() + 30
        with suppress(OSError):
            while time.monotonic() < until_gone:
                sock.sendall(b" ")
                time.sleep(0.3)
