"""Worker and beat as programs: whatever is sent to them, no log line and no output shows it."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
import redis
import requests
from celery import Celery
from kombu import Connection

from config.logs import get_logger
from tasks.logs import _bind, _unbind
from tests.config.logs import canary
from tests.fixtures.logs import Output
from tests.fixtures.orphans import free_port
from tests.fixtures.redis import RedisServer, redis_server
from tests.fixtures.smtp import SmtpServer

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60.0
PATIENCE_AT_THE_END = 5.0


class Program:
    """A Celery program that runs; what it writes, on both streams, is collected."""

    def __init__(self, *arguments: str, broker: str, logs: str, smtp: str = "") -> None:
        self._parts: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "tests.tasks.celery_program", *arguments],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONIOENCODING": "utf-8",
                "BROKER": broker,
                "LOGS": logs,
                "SMTP": smtp,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        streams = (self._process.stdout, self._process.stderr)
        self._readers = [
            threading.Thread(target=self._collect, args=(stream,)) for stream in streams
        ]
        for reader in self._readers:
            reader.start()

    def _collect(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._parts.append(line)

    @property
    def text(self) -> str:
        """All that was written so far."""
        return "".join(self._parts)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines so far; what else was written (a banner) is left out."""
        return [json.loads(line) for line in self._parts if line.startswith("{")]

    def wait_for(self, seen: Callable[[], bool]) -> None:
        """Return when `seen` is true."""
        until = time.monotonic() + PATIENCE
        while not seen():
            assert time.monotonic() < until, self.text
            assert self._process.poll() is None, self.text
            time.sleep(0.05)

    def stop(self) -> None:
        """End it as an operator would, by force if need be, and collect the rest."""
        self._process.terminate()
        try:
            self._process.wait(timeout=PATIENCE_AT_THE_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join()


@contextmanager
def program(*arguments: str, **options: str) -> Iterator[Program]:
    """A Celery program for the length of a block."""
    running = Program(*arguments, **options)
    try:
        yield running
    finally:
        running.stop()


def _send(broker: str) -> None:
    """Every kind of message, each full of personal data; the last one ends the series."""
    client = Celery(broker=broker, set_as_current=False)
    client.conf.task_default_queue = "poll"
    for name in ("succeed", "fail", "fail-coded", "reject", "retry", "say", "sleep", "die"):
        client.send_task(f"wif.{name}", args=(canary.ALL,), shadow=None)
    client.send_task("wif.kanarienne-canari", args=(canary.ALL,), kwargs={"nom": canary.NAME})
    client.send_task("wif.succeed", args=(canary.ALL,), shadow=canary.NAME)
    client.send_task("wif.succeed", args=(), kwargs={"nom": canary.ALL})
    client.send_task("wif.succeed", args=(canary.ALL,), task_id=canary.WORD, expires=1)
    _send_malformed(broker)
    client.control.broadcast("kanarienne", arguments={"nom": canary.NAME})
    client.send_task("wif.succeed", args=(canary.ALL,))
    client.close()


def _send_malformed(broker: str) -> None:
    headers = {"task": "wif.succeed", "id": canary.WORD, "lang": "py"}
    with Connection(broker) as connection, connection.SimpleQueue("poll") as queue:
        publish = queue.producer.publish
        raw: dict[str, Any] = {"routing_key": "poll", "content_encoding": "utf-8"}
        publish(f"not json: {canary.ALL}", content_type="application/json", headers=headers, **raw)
        publish(canary.ALL, content_type=f"text/{canary.WORD}", headers=headers, **raw)
        publish(canary.ALL.encode(), content_type="application/x-python-serialize", **raw)
        publish({"nom": canary.ALL}, serializer="json", routing_key="poll")
        publish(
            [[canary.ALL], canary.ALL, {}], serializer="json", routing_key="poll", headers=headers
        )


EXPECTED = {
    "broker-connected",
    "message-undecodable",
    "message-unknown",
    "task-failed",
    "task-ran",
    "task-received",
    "task-rejected",
    "task-retried",
    "task-soft-limit",
    "task-succeeded",
    "task-unregistered",
    "text-printed",
    "worker-ready",
}


@pytest.fixture
def broker() -> Iterator[RedisServer]:
    """A broker that one test has for itself."""
    with redis_server() as server:
        yield server


def _work(broker: RedisServer, logs: str) -> Program:
    """Send everything to a worker and return what it wrote until it was done."""
    options = ("-l", "debug", "-c", "1", "--without-gossip", "--without-mingle")
    with (
        SmtpServer() as smtp,
        program("worker", *options, broker=broker.url, logs=logs, smtp=smtp.url) as worker,
    ):
        worker.wait_for(lambda: "celery@" in worker.text or "worker-ready" in worker.text)
        _send(broker.url)
        with redis.Redis.from_url(broker.url) as client:
            worker.wait_for(lambda: not client.llen("poll") and not client.hlen("unacked"))
    return worker


def test_no_message_to_a_worker_is_shown(broker: RedisServer) -> None:
    worker = _work(broker, "json")
    assert canary.found(worker.text) == []
    assert {line["event"] for line in worker.lines} >= EXPECTED


def test_the_columns_for_people_show_no_more(broker: RedisServer) -> None:
    worker = _work(broker, "console")
    assert canary.found(worker.text) == []
    assert [event for event in EXPECTED if event not in worker.text] == []


def test_control_celerys_own_logs_show_messages(broker: RedisServer) -> None:
    assert set(canary.found(_work(broker, "open").text)) >= {"kanarienne", "canari", "98765432"}


def test_a_worker_that_ends_on_a_message_does_not_show_it(broker: RedisServer) -> None:
    headers = {"task": "wif.succeed", "id": canary.WORD, "lang": "py"}
    with program("worker", "-c", "1", broker=broker.url, logs="json") as worker:
        with Connection(broker.url) as connection, connection.SimpleQueue("poll") as queue:
            queue.producer.publish(
                canary.ALL, serializer="json", routing_key="poll", headers=headers
            )
        worker.wait_for(lambda: "worker-failed" in worker.text)
    assert canary.found(worker.text) == []


def test_a_failure_shows_its_code_and_its_task(broker: RedisServer) -> None:
    options = ("-l", "info", "-c", "1", "-P", "solo")
    with program("worker", *options, broker=broker.url, logs="json") as worker:
        Celery(broker=broker.url, set_as_current=False).send_task(
            "wif.fail-coded", args=(canary.ALL,), queue="poll"
        )
        worker.wait_for(lambda: any(line["event"] == "task-failed" for line in worker.lines))
    (failed,) = [line for line in worker.lines if line["event"] == "task-failed"]
    assert (failed["task"], failed["queue"]) == ("wif.fail-coded", "poll")
    assert (failed["cause"], failed["status"]) == ("tps-timeout", 504)
    assert failed["exception"] == "routing.failures.Failure"
    assert failed["chain"] == ["ValueError"]


@pytest.mark.parametrize("logs", ["json", "open"])
def test_beat_shows_no_argument(broker: RedisServer, logs: str, tmp_path: Path) -> None:
    options = ("-l", "debug", "-s", str(tmp_path / "schedule"))
    with program("beat", *options, broker=broker.url, logs=logs) as beat:
        due = "task-due" if logs == "json" else "Sending due task"
        beat.wait_for(lambda: due in beat.text)
    assert bool(canary.found(beat.text)) is (logs == "open")


def _browse(port: int) -> None:
    for path in ("/task/kanarienne", "/worker/kanarienne@canari"):
        requests.get(f"http://127.0.0.1:{port}{path}", params={"nom": canary.NAME}, timeout=10)


def _flower_answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthcheck", timeout=10).ok
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize("logs", ["json", "open"])
def test_flower_shows_no_address(broker: RedisServer, logs: str) -> None:
    port = free_port()
    options = ("--address=127.0.0.1", f"--port={port}", "--debug=True")
    with program("flower", *options, broker=broker.url, logs=logs) as flower:
        flower.wait_for(lambda: _flower_answers(port))
        _browse(port)
    assert bool(canary.found(flower.text)) is (logs == "open")


def test_a_lost_broker_is_told_without_its_address(broker: RedisServer) -> None:
    with program("worker", "-c", "1", "-P", "solo", broker=broker.url, logs="json") as worker:
        worker.wait_for(lambda: "worker-ready" in worker.text)
        broker.stop()
        worker.wait_for(lambda: "broker-unreachable" in worker.text)
        broker.start()
        worker.wait_for(lambda: worker.text.count("broker-connected") > 1)
    assert "broker-lost" in worker.text
    assert str(broker.port) not in "".join(str(line) for line in worker.lines)


def test_context_ends_with_its_task(logged: Output) -> None:
    app = Celery(set_as_current=False)

    @app.task(name="wif.sweep", shared=False)
    def sweep() -> None:
        """Do nothing."""

    log = get_logger("tests.config.logs")
    _bind(task_id="0b2e9d1c-4a1f-4c7e-9b1e-0123456789ab", task=sweep)
    log.info("sweep-started")
    _unbind(task_id="0b2e9d1c-4a1f-4c7e-9b1e-0123456789ab")
    log.info("sweep-ended")
    assert logged.only("sweep-started")["task"] == "wif.sweep"
    assert "task" not in logged.only("sweep-ended")
