"""The dead man's switch: it beats while incidents reach somebody, and fails nothing."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from config.settings import read
from service import heartbeat, watch_health
from service.poll import poll
from simulator import Server
from tests.fixtures.harness import PARIS_FORM, make_harness
from tests.fixtures.raw_server import RawServer, raw_server
from tests.fixtures.smtp import SmtpServer
from tests.service.test_watch_health import OPS

EVERY = 0.02
"""Seconds between two bytes of a peer that drips."""


@pytest.mark.parametrize("way", ["mail", "post", "none"])
def test_the_heart_is_silent_while_an_incident_is_known_to_nobody(
    database_url: str,
    tps: Server,
    smtp: SmtpServer,
    tmp_path: Path,
    httpserver: HTTPServer,
    way: str,
) -> None:
    httpserver.expect_oneshot_request("/hook").respond_with_data("no", status=503)
    httpserver.expect_request("/hook").respond_with_data("ok")
    ways: dict[str, Any] = {
        "mail": {"ops_mailbox": OPS, "smtp_url": smtp.url},
        "post": {"alarm_url": httpserver.url_for("/hook")},
        "none": {},
    }
    file = tmp_path / "heartbeat"
    harness = make_harness(database_url, tps, tmp_path, heartbeat_file=file, **ways[way])
    harness.run()
    if way == "mail":
        smtp.stop()
    harness.wait(hours=1)
    watch_health.check(harness.runtime)
    assert not file.exists()
    if way == "mail":
        smtp.start()
    if way == "none":
        poll(harness.runtime, PARIS_FORM)
        poll(harness.runtime, 12828)
    harness.wait(minutes=5)
    watch_health.check(harness.runtime)
    assert file.exists()
    harness.runtime.close()


def test_the_heart_beats_into_a_file_and_at_an_address(
    database_url: str, tps: Server, tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/alive").respond_with_data("ok")
    file = tmp_path / "deep" / "heartbeat"
    harness = make_harness(
        database_url,
        tps,
        tmp_path,
        heartbeat_file=file,
        heartbeat_url=httpserver.url_for("/alive"),
    )
    harness.run()
    watch_health.check(harness.runtime)
    before = file.stat().st_mtime_ns
    watch_health.check(harness.runtime)
    assert file.stat().st_mtime_ns > before
    assert len(httpserver.log) == 2
    harness.runtime.close()


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/secret", "http://heart.example/secret"])
def test_a_heartbeat_that_nobody_hears_fails_nothing_and_betrays_nothing(
    database_url: str,
    tps: Server,
    tmp_path: Path,
    address: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    harness = make_harness(
        database_url, tps, tmp_path, heartbeat_url=address, heartbeat_file=Path("/proc/1/none/x")
    )
    harness.run()
    watch_health.check(harness.runtime)
    assert "secret" not in caplog.text
    harness.runtime.close()


def test_no_heartbeat_when_the_look_failed(database_url: str, tps: Server, tmp_path: Path) -> None:
    file = tmp_path / "heartbeat"
    harness = make_harness(database_url, tps, tmp_path, heartbeat_file=file)
    harness.run()

    with harness.runtime.database.begin() as connection:
        connection.execute(text("ALTER TABLE deliveries RENAME TO elsewhere"))
    with pytest.raises(DBAPIError):
        watch_health.check(harness.runtime)
    assert not file.exists()
    harness.runtime.close()


@pytest.fixture
def dripping() -> Iterator[tuple[RawServer, Event]]:
    """Answers with a header that has no end for as long as anybody listens; when it was left."""
    over, left = Event(), Event()

    def drip(sock: socket.socket, _: bytes) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        with suppress(OSError):
            while not over.wait(EVERY):
                sock.sendall(b"x")
            sock.sendall(b"\r\nContent-Length: 0\r\n\r\n")
            return
        left.set()

    with raw_server(drip) as server:
        yield server, left
        over.set()


def test_an_address_that_drips_its_headers_is_left_at_the_deadline(
    dripping: tuple[RawServer, Event], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server, left = dripping
    settings = read(var_dir=tmp_path, heartbeat_url=server.url)
    heartbeat.beat(settings, seconds=10 * EVERY)
    assert left.wait(5)
    assert "heartbeat-missed" in caplog.text


def test_before_the_deadline_it_is_waited_for_as_long_as_it_drips(
    dripping: tuple[RawServer, Event], tmp_path: Path
) -> None:
    """The control: nothing but the deadline ends it."""
    server, left = dripping
    settings = read(var_dir=tmp_path, heartbeat_url=server.url)
    beating = Thread(target=heartbeat.beat, args=(settings,), kwargs={"seconds": 60.0}, daemon=True)
    beating.start()
    beating.join(50 * EVERY)
    assert beating.is_alive()
    assert not left.is_set()
