"""The servers that a run works against, each a process of its own: TPS, SMTP, PostgreSQL, Redis.

The floor and the service work against the same ones, so that their ratio says nothing
of how fast these are.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from smtplib import SMTP
from typing import Any
from urllib.request import Request, urlopen

import psycopg
from redis import Redis

from benchmarks.usage import parent
from config import settings
from config.ruleset import load_directory
from simulator.simulator import TOKEN
from tests.fixtures.postgres import Databases, PostgresServer
from tests.fixtures.redis import RedisServer

LOOPBACK = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 20.0


@contextmanager
def started(*command: str, log: Path, env: Mapping[str, str] | None = None) -> Iterator[Any]:
    """A process whose first line says that it is ready; what it says on stderr goes to `log`."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=STOP_SECONDS)


def first_line(process: "subprocess.Popen[str]", log: Path) -> str:
    """What a process announces itself with.

    Raises:
        RuntimeError: it ended instead.
    """
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RuntimeError(f"{process.args!r} did not start; see {log}")
    return line.strip()


@dataclass(frozen=True, slots=True)
class Tps:
    """A simulated TPS in a process of its own."""

    url: str
    pid: int
    token: str = TOKEN

    def file(self, forms: Sequence[Mapping[str, Any]], count: int, **options: Any) -> range:  # noqa: ANN401
        """Let `count` ordinary dossiers be filed through `forms` in turn; their numbers."""
        asked = {"forms": forms, "count": count, "oddities": False, "states": ["initiated"]}
        found = self._ask("POST", "populate", {**asked, **options})
        return range(found["first"], found["last"] + 1) if found else range(0)

    def requests(self) -> int:
        """How many requests it has answered so far."""
        return int(self._ask("GET", "stats")["requests"])

    def _ask(self, method: str, what: str, content: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
        body = None if content is None else json.dumps(content).encode()
        request = Request(f"{self.url}/_simulator/{what}", data=body, method=method)  # noqa: S310
        with urlopen(request, timeout=600) as answer:  # noqa: S310
            return json.load(answer)


def configured_forms() -> list[dict[str, Any]]:
    """The procedures of the shipped configuration, in the words of the simulated TPS."""
    forms = load_directory(settings.HERE).forms.values()
    return [
        {"procedure": form.procedure, "department": form.department, "kind": form.kind}
        for form in forms
    ]


@contextmanager
def simulated_tps(folder: Path, *, host: str = LOOPBACK) -> Iterator[Tps]:
    """An empty TPS."""
    log = folder / "tps.log"
    command = (sys.executable, "-m", "simulator", "--host", host, "--port", "0")
    with started(*command, "--count", "0", log=log) as process:
        announced = first_line(process, log)
        url = next(word for word in announced.split() if word.startswith("http")).rstrip(",")
        yield Tps(url, process.pid)


class Sink:
    """An SMTP server that accepts everything, in a process of its own."""

    def __init__(self, host: str, port: int, pid: int, report: Path) -> None:
        self.host = host
        self.port = port
        self.pid = pid
        self._report = report

    def accepted(self) -> tuple[int, int]:
        """How many messages it has accepted, and how many different ones."""
        with SMTP(self.host, self.port, local_hostname="bench.example") as smtp:
            _, answer = smtp.docmd("XCOUNT")
        every, different = answer.split()[:2]
        return int(every), int(different)

    def report(self) -> dict[str, Any]:
        """What it tells at its end; to be asked after the context was left."""
        return dict(json.loads(self._report.read_text(encoding="utf-8")))


@contextmanager
def smtp_sink(folder: Path, name: str = "sink", *, host: str = LOOPBACK) -> Iterator[Sink]:
    """An SMTP server that nobody has used yet."""
    log, report = folder / f"{name}.log", folder / f"{name}.json"
    command = (sys.executable, "-m", "benchmarks.smtp_sink", "--host", host)
    with started(*command, "--report", str(report), log=log) as process:
        port = int(first_line(process, log).rsplit(" ", 1)[1])
        yield Sink(host, port, process.pid, report)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that the service and the floor need from others.

    Attributes:
        folder: where logs and reports go.
        tps: the simulated TPS.
        postgres: the cluster, which writes through to the disk.
        databases: makes databases in it.
        broker: a server for Celery's messages.
    """

    folder: Path
    tps: Tps
    postgres: PostgresServer
    databases: Databases
    broker: RedisServer

    def pids(self) -> dict[str, int]:
        """The process of each part, by what it is."""
        with psycopg.connect(plain(self.postgres.url())) as connection:
            backend = connection.info.backend_pid
            database = parent(backend)
        told = Redis.from_url(self.broker.url).info("server")
        return {"tps": self.tps.pid, "postgres": database, "redis": told["process_id"]}


def plain(url: str) -> str:
    """A SQLAlchemy URL as the driver wants it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


@contextmanager
def parts(folder: Path, *, host: str = LOOPBACK) -> Iterator[Parts]:
    """All parts, started on one address; gone at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        postgres = stack.enter_context(
            PostgresServer(host=host, fsync=True, shared_buffers="256MB")
        )
        broker = RedisServer(folder / "broker", host=host)
        stack.callback(broker.close)
        broker.start()
        tps = stack.enter_context(simulated_tps(folder, host=host))
        yield Parts(folder, tps, postgres, Databases(postgres.url(), as_files=True), broker)


def wait_until(sink: Sink, count: int, *, patience: float) -> None:
    """Return once the sink has accepted `count` different messages.

    Raises:
        TimeoutError: nothing has come for `patience` seconds.
    """
    seen, since = -1, time.monotonic()
    while True:
        _, different = sink.accepted()
        if different >= count:
            return
        if different != seen:
            seen, since = different, time.monotonic()
        elif time.monotonic() - since > patience:
            raise TimeoutError(f"{different} of {count} messages, and none for {patience:.0f} s")
        time.sleep(0.1)
