"""One exchange with an endpoint over loopback: what its answers and its silences mean."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from connectors.deadline import SocketAddress
from connectors.webhook.exchange import cause_of, post
from routing.failures import Cause, Failure
from tests.fixtures.webhook import Answer, Receiver

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HERE = frozenset({"127.0.0.1"})
NAME = "gestion.ud075.example"


def failure(url: str, **options: object) -> Failure:
    given = {"allowed": HERE, "now": NOW, **options}
    with pytest.raises(Failure) as failed:
        post(url, b"{}", {"webhook-id": "msg_1"}, **given)  # type: ignore[arg-type]
    assert failed.value.__cause__ is None
    return failed.value


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(receiver: Receiver, status: int) -> None:
    receiver.usual = Answer(status=status, handle=False)
    post(receiver.url, b"{}", {"webhook-id": "msg_1"}, allowed=HERE, now=NOW)
    ((headers, body),) = receiver.requests
    assert (headers["webhook-id"], headers["content-type"], body) == (
        "msg_1",
        "application/json",
        b"{}",
    )


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (301, Cause.WEBHOOK_REDIRECTED),
        (304, Cause.WEBHOOK_REDIRECTED),
        (400, Cause.WEBHOOK_REJECTED),
        (401, Cause.WEBHOOK_REJECTED),
        (404, Cause.WEBHOOK_REJECTED),
        (408, Cause.WEBHOOK_UNAVAILABLE),
        (410, Cause.WEBHOOK_GONE),
        (425, Cause.WEBHOOK_UNAVAILABLE),
        (429, Cause.WEBHOOK_THROTTLED),
        (500, Cause.WEBHOOK_UNAVAILABLE),
        (503, Cause.WEBHOOK_UNAVAILABLE),
    ],
)
def test_each_other_status_has_its_cause(receiver: Receiver, status: int, cause: Cause) -> None:
    receiver.usual = Answer(status=status, handle=False)
    failed = failure(receiver.url)
    assert (failed.cause, failed.status) == (cause, status)
    assert cause_of(status) is cause


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    with Receiver() as elsewhere:
        to = (("Location", elsewhere.url),)
        for status in (301, 302, 303, 307, 308):
            receiver.usual = Answer(status=status, headers=to, handle=False)
            assert failure(receiver.url).cause is Cause.WEBHOOK_REDIRECTED
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("Mon, 23 Nov 2026 08:10:00 GMT", 600.0),
        ("999999999", 86_400.0),
        ("soon", None),
    ],
)
def test_retry_after_is_read_and_capped(
    receiver: Receiver, value: str, seconds: float | None
) -> None:
    receiver.usual = Answer(status=503, headers=(("Retry-After", value),), handle=False)
    assert failure(receiver.url).retry_after == seconds


def test_an_endpoint_that_hangs_is_left_after_its_time(receiver: Receiver) -> None:
    receiver.usual = Answer(hang=True)
    assert failure(receiver.url, seconds=0.2).cause is Cause.WEBHOOK_TIMEOUT


@contextmanager
def raw_server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that speaks as `serve` does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            connected, _ = listening.accept()
            with connected:
                try:
                    connected.recv(65_536)
                    serve(connected)
                except OSError:
                    pass

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        thread.join()


def test_an_answer_that_drips_is_left_after_its_time() -> None:
    left = threading.Event()

    def drip(connected: socket.socket) -> None:
        connected.sendall(b"HTTP/1.1 200 OK\r\n")
        while not left.wait(0.02):
            connected.sendall(b"X-Slow: 1\r\n")

    with raw_server(drip) as url:
        assert failure(url, seconds=0.3).cause is Cause.WEBHOOK_TIMEOUT
        left.set()


def test_an_answer_that_floods_is_cut_off() -> None:
    def flood(connected: socket.socket) -> None:
        connected.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Flood: " + b"x" * 60_000 + b"\r\n")
        connected.sendall(b"X-Flood: " + b"x" * 60_000 + b"\r\n\r\n")

    with raw_server(flood) as url:
        assert failure(url).cause in {Cause.WEBHOOK_REJECTED, Cause.WEBHOOK_DROPPED}


def test_a_connection_that_is_cut_leaves_the_outcome_open(receiver: Receiver) -> None:
    receiver.usual = Answer(drop=True, handle=False)
    assert failure(receiver.url).cause is Cause.WEBHOOK_DROPPED


def test_nobody_there_is_unreachable(receiver: Receiver) -> None:
    url = receiver.url
    receiver.__exit__(None, None, None)
    assert failure(url).cause is Cause.WEBHOOK_UNREACHABLE
    receiver.__enter__()


def test_loopback_is_refused_without_a_request(receiver: Receiver) -> None:
    assert failure(receiver.url, allowed=()).cause is Cause.WEBHOOK_FORBIDDEN
    assert receiver.requests == []


def test_a_name_that_changes_its_mind_gains_nothing(receiver: Receiver) -> None:
    """The name is looked up once; what was checked is what is connected to."""
    answers = [
        [(socket.AF_INET, ("127.0.0.1", receiver.port))],
        [(socket.AF_INET, ("10.0.0.1", 1))],
    ]
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[SocketAddress]:
        asked.append(host)
        return answers[len(asked) - 1]

    receiver.usual = Answer(handle=False)
    url = f"http://{NAME}:{receiver.port}/wif"
    post(url, b"{}", {"webhook-id": "m"}, allowed={NAME}, now=NOW, resolve=resolve)
    assert asked == [NAME]
    assert receiver.requests[0][0]["host"] == f"{NAME}:{receiver.port}"


def test_a_proxy_in_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        receiver.usual = Answer(handle=False)
        post(receiver.url, b"{}", {"webhook-id": "m"}, allowed=HERE, now=NOW)
        assert (len(receiver.requests), len(proxy.requests)) == (1, 0)


class TestTls:
    authority = trustme.CA()

    def context(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(name).configure_cert(context)
        return context

    def trust(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(path))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))

    def post(self, receiver: Receiver) -> None:
        def resolve(host: str, port: int) -> list[SocketAddress]:
            return [(socket.AF_INET, ("127.0.0.1", port))]

        url = f"https://{NAME}:{receiver.port}/wif"
        post(url, b"{}", {"webhook-id": "m"}, allowed={NAME}, now=NOW, resolve=resolve)

    def test_the_certificate_is_that_of_the_name_although_the_address_is_connected_to(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.trust(tmp_path, monkeypatch)
        asked: list[str] = []
        context = self.context(NAME)
        context.sni_callback = lambda _, name, __: asked.append(str(name))
        with Receiver(tls=context, usual=Answer(handle=False)) as receiver:
            self.post(receiver)
            assert receiver.requests
        assert asked == [NAME]

    def test_an_unknown_authority_and_another_name_are_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Receiver(tls=self.context(NAME)) as receiver:
            with pytest.raises(Failure) as failed:
                self.post(receiver)
            assert failed.value.cause is Cause.WEBHOOK_TLS
            assert receiver.requests == []
        self.trust(tmp_path, monkeypatch)
        with Receiver(tls=self.context("other.example")) as receiver:
            with pytest.raises(Failure) as failed:
                self.post(receiver)
            assert failed.value.cause is Cause.WEBHOOK_TLS
            assert receiver.requests == []


def test_the_whole_exchange_has_one_deadline(receiver: Receiver) -> None:
    """A slow resolver leaves less time for the endpoint."""
    receiver.usual = Answer(hang=True)

    def slowly(host: str, port: int) -> list[SocketAddress]:
        threading.Event().wait(0.2)
        return [(socket.AF_INET, ("127.0.0.1", receiver.port))]

    began = time.monotonic()
    assert failure(receiver.url, resolve=slowly, seconds=0.3).cause is Cause.WEBHOOK_TIMEOUT
    assert time.monotonic() - began < 0.45
