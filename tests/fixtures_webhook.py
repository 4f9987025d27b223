"""A unit's own system on loopback: a receiver written with the official library alone.

It verifies every message, handles each `webhook-id` once, and misbehaves as it is told.
"""

import base64
import json
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from standardwebhooks import webhooks


def hmac_line(key: bytes) -> str:
    """A line of a unit's file."""
    return "whsec_" + base64.b64encode(key).decode()


SECRET = hmac_line(b"synthetic-key-of-32-bytes-length")
OTHER_SECRET = hmac_line(b"another-synthetic-key-of-32bytes")

PATIENCE = 30.0
"""Seconds after which a hanging answer ends all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How one request is answered.

    Attributes:
        status: of the answer.
        headers: of the answer.
        handle: whether the message is verified and handled before.
        drop: cut the connection instead of answering.
        hang: say nothing until the receiver is told to go on.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    handle: bool = True
    drop: bool = False
    hang: bool = False


FINE = Answer()


@dataclass
class Receiver:
    """An endpoint.

    Attributes:
        secret: by which it verifies.
        clock: the present instant of its machine.
        usual: how it answers when nothing else is planned.
        planned: how it answers next, one after the other.
        requests: headers and body of what came, in order.
        handled: the document of each message that was handled, by its id.
        copies: ids of verified messages that had been handled before.
        refused: why messages were not verified.
        on_handled: called after each message that was handled, before it is answered.
    """

    secret: str = SECRET
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    usual: Answer = FINE
    tls: ssl.SSLContext | None = None
    planned: deque[Answer] = field(default_factory=deque)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    handled: dict[str, Any] = field(default_factory=dict)
    copies: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    on_handled: Callable[[], None] = lambda: None
    go_on: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/wif"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Take one request in and answer as planned."""
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._lock:
            self.requests.append((headers, body))
            planned = self.planned.popleft() if self.planned else self.usual
        if planned.hang:
            self.go_on.wait(PATIENCE)
        if planned.handle:
            self.handle(headers, body)
        request.close_connection = True
        if planned.drop:
            return
        request.send_response(planned.status)
        for name, value in (*planned.headers, ("Content-Length", "0")):
            request.send_header(name, value)
        request.end_headers()

    def handle(self, headers: dict[str, str], body: bytes) -> None:
        """What a receiver does: verify, then handle what it does not know yet."""
        with self._lock:
            try:
                with _clocked(self.clock):
                    document = webhooks.Webhook(self.secret).verify(body, headers)
            except webhooks.WebhookVerificationError as error:
                self.refused.append(str(error))
                return
            key = headers["webhook-id"]
            if key in self.handled:
                self.copies.append(key)
            else:
                self.handled[key] = document
        self.on_handled()

    def dossiers(self) -> list[int]:
        """Numbers of the dossiers that were told, in order."""
        return [each["data"]["dossier"] for each in self.handled.values()]


class _clocked:  # noqa: N801
    """Lets the official library, which reads the clock itself, read the one of the receiver."""

    _guard = threading.Lock()

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def __enter__(self) -> None:
        self._guard.acquire()
        clock = self._clock

        class Clocked(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]  # noqa: ANN401
                return clock().astimezone(tz)

        setattr(webhooks, "datetime", Clocked)  # noqa: B010

    def __exit__(self, *_: object) -> None:
        setattr(webhooks, "datetime", datetime)  # noqa: B010
        self._guard.release()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def write_secrets(folder: Path, *units: str, lines: tuple[str, ...] = (SECRET,)) -> Path:
    """A folder with the secrets of some units."""
    folder.mkdir(exist_ok=True)
    for unit in units:
        (folder / unit).write_text("".join(f"{line}\n" for line in lines))
    return folder


def with_webhooks(document: str, **urls: str) -> str:
    """The document of a rule set in which units have a webhook beside their mailbox."""
    content = json.loads(document)
    for unit in content["units"]:
        if unit["code"] in urls:
            kept = [each for each in unit["channels"] if "webhook" not in each]
            unit["channels"] = [*kept, {"webhook": urls[unit["code"]]}]
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
