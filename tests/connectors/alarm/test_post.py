"""Alarms without mail: what a chat, a paging service and a syslog get, and one that hangs."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from connectors.alarm.post import post_alarm
from routing.failures import Cause, Failure
from tests.connectors.alarm.test_mail import ALARM, NOW


def test_a_webhook_gets_words_for_people_and_codes_for_programs(httpserver: HTTPServer) -> None:
    got: list[Request] = []

    def take(request: Request) -> Response:
        request.get_data()
        got.append(request)
        return Response(status=204)

    httpserver.expect_request("/hook/secret", method="POST").respond_with_handler(take)
    post_alarm(httpserver.url_for("/hook/secret"), ALARM)
    over = replace(ALARM, key="unsent.over", closed_at=NOW, since=None)
    post_alarm(httpserver.url_for("/hook/secret"), over)
    first, last = (json.loads(request.data) for request in got)
    assert first["text"].startswith("[Work In France] Alarm: deliveries wait to be sent\n")
    assert "wif deliveries list --state pending" in first["text"]
    assert {name: first[name] for name in ("kind", "state", "count", "since", "closed_at")} == {
        "kind": "unsent-deliveries",
        "state": "open",
        "count": 42,
        "since": "2026-11-23T07:45:00+00:00",
        "closed_at": None,
    }
    assert last["state"] == "over"
    assert last["incident"] == first["incident"]
    assert got[0].headers["Idempotency-Key"] != got[1].headers["Idempotency-Key"]


@pytest.mark.parametrize("status", [301, 404, 500])
def test_what_is_not_taken_is_a_failure_that_repeats_no_address(
    httpserver: HTTPServer, status: int
) -> None:
    httpserver.expect_request("/hook/secret").respond_with_data("no", status=status)
    with pytest.raises(Failure) as caught:
        post_alarm(httpserver.url_for("/hook/secret"), ALARM)
    assert (caught.value.cause, caught.value.status) == (Cause.ALARM_NOT_TAKEN, status)
    assert "secret" not in str(caught.value)


@pytest.fixture
def dripping() -> Iterator[str]:
    """The address of a server that sends a byte of its headers now and then, for ever."""
    server, ended = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve() -> None:
        peer, _ = server.accept()
        with peer:
            while not ended.wait(0.02):
                try:
                    peer.send(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/secret"
    ended.set()
    thread.join()
    server.close()


def test_one_that_drips_is_a_failure_when_its_time_is_over(dripping: str) -> None:
    with pytest.raises(Failure, match="alarm-not-taken"):
        post_alarm(dripping, ALARM, seconds=0.3)


def test_a_syslog_gets_one_line(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(tmp_path / "log"))
        post_alarm(f"syslog://{tmp_path}/log", ALARM)
        line = log.recv(4096).decode()
    assert "wif: [Work In France] Alarm: deliveries wait to be sent" in line
    assert "kind=unsent-deliveries" in line
    assert "state=open" in line
    assert "\n" not in line


def test_a_syslog_over_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        log.settimeout(5)
        post_alarm(f"syslog://127.0.0.1:{log.getsockname()[1]}", replace(ALARM, closed_at=NOW))
        assert b"Over: deliveries wait" in log.recv(4096)


def test_a_syslog_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="alarm-not-taken"):
        post_alarm(f"syslog://{tmp_path}/none", ALARM)


@pytest.mark.usefixtures("deaf_resolver")
def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    with pytest.raises(Failure, match="alarm-not-taken"):
        post_alarm("syslog://log.example", ALARM, seconds=0.1)
