"""A real SMTP server on loopback that keeps what it accepts and misbehaves as it is told."""

import asyncio
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.guard import PATIENCE, free_port


class At(StrEnum):
    """Where in a conversation a fault is played."""

    GREETING = "greeting"
    EHLO = "ehlo"
    HELO = "helo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"
    """The whole message has come in, and is answered."""
    NOOP = "noop"
    RSET = "rset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One misbehaviour.

    Attributes:
        at: where.
        reply: sent in place of the usual answer; empty for no answer.
        drop: cut the connection, after the reply if there is one.
        accept: keep the message all the same (only at `CONTENT`).
        recipient: only in conversations with this recipient; known from `RCPT` on.
        times: how often; None for ever.
        delay: answer as usual, but only after so many seconds.

    Without a reply, a drop or a delay the server stays silent.
    """

    at: At
    reply: str = ""
    drop: bool = False
    accept: bool = False
    recipient: str | None = None
    times: int | None = None
    delay: float = 0.0

    @property
    def only_late(self) -> bool:
        """Whether what follows the delay is as usual."""
        return self.delay > 0 and not self.reply and not self.drop


@dataclass(frozen=True, slots=True)
class Received:
    """One message that the server accepted."""

    sender: str
    recipient: str
    raw: bytes
    at: float
    """`time.time()` of the acceptance."""

    @property
    def message(self) -> EmailMessage:
        """The message, parsed from its bytes."""
        parsed = message_from_bytes(self.raw, policy=policy.SMTP)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])


class SmtpServer:
    """An SMTP server in a thread of its own; it can be stopped and started on the same port.

    Args:
        security: `smtp`, `smtps` or `smtp+starttls`, as in `WIF_SMTP_URL`.
        login: user and password that it insists on, None for none.
        certificate: what it shows; needed unless `security` is `smtp`.
        without: extensions that it does not announce (`SIZE`, `SMTPUTF8`, `STARTTLS` …).
        pipelining: announce that several commands may come at once.
        size: largest message that it announces and takes.
        host: address that it listens on.
    """

    def __init__(
        self,
        *,
        security: str = "smtp",
        login: tuple[str, str] | None = None,
        certificate: trustme.LeafCert | None = None,
        without: frozenset[str] = frozenset(),
        pipelining: bool = False,
        size: int = 1_000_000,
        host: str = "127.0.0.1",
    ) -> None:
        self.host = host
        self.port = free_port()
        self.security = security
        self.login = login
        self.without = without
        self.pipelining = pipelining
        self.size = size
        self.connections = 0
        self.commands: Counter[str] = Counter()
        self.greeted_by: list[str] = []
        self.generation = 0
        self._tls = _server_context(certificate)
        self._faults: list[Fault] = []
        self._messages: list[Received] = []
        self._changed = threading.Condition()
        self._thread: _LoopThread | None = None

    @property
    def url(self) -> str:
        """What `WIF_SMTP_URL` has to be."""
        who = (
            f"{quote(self.login[0], safe='')}:{quote(self.login[1], safe='')}@"
            if self.login
            else ""
        )
        return f"{self.security}://{who}{self.host}:{self.port}"

    @property
    def messages(self) -> list[Received]:
        """What was accepted so far, in order."""
        with self._changed:
            return list(self._messages)

    def play(self, *faults: Fault) -> None:
        """Misbehave from now on; the first fault that applies is played."""
        with self._changed:
            self._faults.extend(faults)

    def behave(self) -> None:
        """Forget all faults."""
        with self._changed:
            self._faults.clear()

    def wait_for(self, count: int, *, timeout: float = 10.0) -> list[Received]:
        """The messages, as soon as there are `count` of them; fails after `timeout` seconds."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self._messages) >= count, timeout)
            assert arrived, f"{len(self._messages)} of {count} messages in {timeout} s"
            return list(self._messages)

    def start(self) -> None:
        """Listen; again after `stop`, on the same port."""
        assert self._thread is None, "the server runs already"
        implicit = self._tls if self.security == "smtps" else None
        self._thread = _LoopThread(
            lambda loop: _Protocol(self, loop), self.host, self.port, implicit
        )

    def stop(self) -> None:
        """Stop listening and cut every connection."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def options(self) -> dict[str, Any]:
        """How aiosmtpd has to be set up."""
        options: dict[str, Any] = {
            "data_size_limit": self.size,
            "enable_SMTPUTF8": "SMTPUTF8" not in self.without,
            "hostname": "sink.example",
            "auth_require_tls": False,
        }
        if self.login is not None:
            options["authenticator"] = self._authenticate
        else:
            options["auth_exclude_mechanism"] = ["LOGIN", "PLAIN"]
        if self.security == "smtp+starttls":
            options["tls_context"] = self._tls
        return options

    def next_fault(self, at: At, recipients: list[str]) -> Fault | None:
        """The fault to play now; a counted one is used up by this."""
        with self._changed:
            for index, fault in enumerate(self._faults):
                if fault.at is at and fault.recipient in {None, *recipients}:
                    if fault.times is not None:
                        self._faults[index : index + 1] = _left(fault, fault.times)
                    return fault
        return None

    def orphan(self) -> None:
        """Whoever is connected now is dead: what its connections still bring, nobody sends."""
        with self._changed:
            self.generation += 1

    def keep(self, envelope: Envelope, generation: int) -> bool:
        """Record an accepted message.

        Args:
            envelope: what was accepted.
            generation: of the connection that brought it.

        Returns:
            Whether its sender lives, as far as the server was told.
        """
        content = envelope.original_content or b""
        with self._changed:
            self._messages.extend(
                Received(envelope.mail_from or "", recipient, content, time.time())
                for recipient in envelope.rcpt_tos
            )
            self._changed.notify_all()
            return generation == self.generation

    def _authenticate(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        mechanism: str,
        data: Any,  # noqa: ANN401
    ) -> AuthResult:
        assert self.login is not None
        given = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self.login, handled=False)


def _left(fault: Fault, times: int) -> list[Fault]:
    return [replace(fault, times=times - 1)] if times > 1 else []


def _server_context(certificate: trustme.LeafCert | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


class _Handler:
    """Takes messages in for the server."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def handle_EHLO(  # noqa: N802
        self, smtp: SMTP, session: Session, envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self._server.greeted_by.append(hostname)
        if self._server.pipelining:
            replies = [*replies, "250 PIPELINING"]
        kept = [line for line in replies if line[4:].split()[0] not in self._server.without]
        return [f"250-{line[4:]}" for line in kept[:-1]] + [f"250 {kept[-1][4:]}"]

    async def handle_DATA(self, smtp: "_Protocol", session: Session, envelope: Envelope) -> str:  # noqa: N802
        fault = self._server.next_fault(At.CONTENT, envelope.rcpt_tos)
        if fault is None or fault.accept or fault.only_late:
            self._server.keep(envelope, smtp.generation)
        reply = await smtp.misbehave(fault) if fault else ""
        return reply or "250 2.0.0 accepted"


class _Protocol(SMTP):
    """One connection."""

    def __init__(self, server: SmtpServer, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(_Handler(server), loop=loop, **server.options())
        self._server = server
        self.generation = server.generation
        self._greeted = False

    async def misbehave(self, fault: Fault) -> str:
        """Play a fault; returns only when it leaves a reply to send, the usual one when empty."""
        await asyncio.sleep(fault.delay)
        if fault.only_late or (fault.reply and not fault.drop):
            return fault.reply
        if fault.reply:
            await super().push(fault.reply)
        if fault.drop and self.transport is not None:
            self.transport.close()
        # ended by the loss of the connection, or by the server's end
        await asyncio.Event().wait()
        raise AssertionError

    def cut(self) -> None:
        """Close the connection, and the one below it when TLS came later, without a word."""
        for transport in (self.transport, self._original_transport):
            # One over TLS that has ended already has let go of its protocol, which Python 3.11.2
            # would call.
            if transport is not None and getattr(transport, "_ssl_protocol", self) is not None:
                transport.abort()  # type: ignore[attr-defined]

    async def push(self, status: Any) -> None:  # noqa: ANN401
        if not self._greeted:
            self._greeted = True
            self._server.connections += 1
            fault = self._server.next_fault(At.GREETING, [])
            if fault is not None:
                status = await self.misbehave(fault) or status
        await super().push(status)

    async def _played(self, at: At) -> bool:
        """Whether a fault took the place of the command."""
        self._server.commands[at] += 1
        recipients = self.envelope.rcpt_tos if self.envelope else []
        return await self._play(self._server.next_fault(at, recipients))

    async def _play(self, fault: Fault | None) -> bool:
        if fault is None:
            return False
        reply = await self.misbehave(fault)
        if reply:
            await self.push(reply)
        return bool(reply)

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        if not await self._played(At.EHLO):
            await super().smtp_EHLO(hostname)

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802
        if not await self._played(At.HELO):
            await super().smtp_HELO(hostname)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
        if not await self._played(At.STARTTLS):
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        if not await self._played(At.AUTH):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if await self._played(At.MAIL):
            return
        if self._server.login and not (self.session and self.session.authenticated):
            await self.push("530 5.7.0 authentication required")
            return
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        self._server.commands[At.RCPT] += 1
        recipient = (arg or "").partition("<")[2].partition(">")[0]
        if not await self._play(self._server.next_fault(At.RCPT, [recipient])):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if not await self._played(At.DATA):
            await super().smtp_DATA(arg)

    async def smtp_NOOP(self, arg: str) -> None:  # noqa: N802
        if not await self._played(At.NOOP):
            await super().smtp_NOOP(arg)

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        if not await self._played(At.RSET):
            await super().smtp_RSET(arg)


class _LoopThread:
    """A thread with an event loop that listens on one port."""

    def __init__(
        self,
        protocol: Callable[[asyncio.AbstractEventLoop], _Protocol],
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._connections: list[_Protocol] = []

        def connect() -> _Protocol:
            self._connections.append(protocol(self._loop))
            return self._connections[-1]

        listening = self._loop.create_server(connect, host, port, ssl=tls)
        self._listener = self._loop.run_until_complete(listening)
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="smtp-server", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._listener.close()
        for connection in self._connections:
            connection.cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        # Transports report their end in the next rounds of the loop. One whose client left
        # during the TLS handshake was never ours to close, and the listener alone knows it.
        until = time.monotonic() + PATIENCE
        while getattr(self._listener, "_active_count", 0) and time.monotonic() < until:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0)


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    """A running server without TLS and login, which takes several commands at once as most do."""
    with SmtpServer(pipelining=True) as server:
        yield server


@pytest.fixture(scope="session")
def smtp_authority() -> trustme.CA:
    """The authority that signs the certificates of TLS servers."""
    return trustme.CA()


@pytest.fixture(scope="session")
def smtp_ca_file(smtp_authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority's certificate, for the `ca` option of the URL."""
    path = tmp_path_factory.mktemp("smtp") / "authority.pem"
    smtp_authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def smtp_certificate(smtp_authority: trustme.CA) -> trustme.LeafCert:
    """A certificate for this machine's loopback address."""
    return smtp_authority.issue_cert("localhost", "127.0.0.1")
