"""A server that answers with whatever bytes a test wants, and breaks off as it wants."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Conversation = Callable[[socket.socket, bytes], None]


@dataclass
class RawServer:
    """Where it listens, and what it was asked so far."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def raw_server(converse: Conversation, *, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Serve on loopback: `converse` gets the connection and the request, again until it closes."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = RawServer(listener.getsockname()[1])
    threads: list[threading.Thread] = []
    open_sockets: list[socket.socket] = []

    def talk(sock: socket.socket) -> None:
        with suppress(OSError), sock:
            while request := _request(sock):
                server.requests.append(request)
                converse(sock, request)

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
                server.connections += 1
                sock = tls.wrap_socket(sock, server_side=True) if tls else sock
            except (ssl.SSLError, ConnectionError):
                continue
            except OSError:
                return
            open_sockets.append(sock)
            thread = threading.Thread(target=talk, args=(sock,), daemon=True)
            threads.append(thread)
            thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for sock in open_sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        acceptor.join()
        for thread in threads:
            thread.join()


def _request(sock: socket.socket) -> bytes:
    """The next request, with as much of a body as it announces."""
    received = b""
    while not _whole(received):
        piece = sock.recv(65_536)
        if not piece:
            return b""
        received += piece
    return received


def _whole(received: bytes) -> bool:
    head, blank, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length: *(\d+)", head)
    return bool(blank) and len(body) >= (int(length[1]) if length else 0)


def once(answer: bytes) -> Conversation:
    """SealedResponse with these bytes and close."""

    def converse(sock: socket.socket, _: bytes) -> None:
        sock.sendall(answer)
        sock.shutdown(socket.SHUT_RDWR)

    return converse


def http(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A whole HTTP answer."""
    lines = {"Content_Length": str(len(body)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + body
