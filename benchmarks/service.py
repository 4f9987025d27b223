"""The service as it is run: worker processes and one beat, from an environment of their own."""

import base64
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from celery import Celery
from sqlalchemy import update

from benchmarks.hosts import HERE, Host
from benchmarks.parts import ROOT, Parts, Sink, Tps
from benchmarks.usage import children
from cli.processes import beat_command, upkeep_command, worker_command
from config import settings
from service.clock import utc_now
from service.prepare import prepare
from service.register import register_procedures
from service.runtime import Runtime
from store.engine import Database
from store.models import Procedure

START_SECONDS = 60.0
STOP_SECONDS = 60.0
LATER = timedelta(minutes=5)
"""Long enough to start up. What is put off for much longer is taken for a wrong clock."""


@dataclass
class Service:
    """A service on a database of its own.

    Attributes:
        runtime: to look into its database and at its rules.
        environment: what its processes are started with.
        folder: of its logs.
        processes: those that run, by name.
    """

    runtime: Runtime
    environment: Mapping[str, str]
    folder: Path
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start_worker(
        self, name: str = "worker", *, processes: int | None = None, host: Host = HERE
    ) -> None:
        """Start a worker with that many processes, or its default; wait until it takes tasks."""
        self._start(name, *host.prefix, *worker_command(processes, name=name))
        self._wait_for(name)

    def _wait_for(self, name: str) -> None:
        """Return once a worker answers."""
        app = self._app()
        until = time.monotonic() + START_SECONDS
        while not app.control.ping([f"{name}@{socket.gethostname()}"], timeout=0.5):
            if time.monotonic() > until:
                raise TimeoutError(f"the worker does not answer; see {self.folder}")
        app.close()

    def start_beat(self) -> None:
        """Start the one beat, and the worker of its upkeep."""
        self._start("upkeep", *upkeep_command())
        self._wait_for("upkeep")
        self._start("beat", *beat_command())

    def pids(self) -> list[int]:
        """The processes that were started, not what they have started themselves."""
        return [process.pid for process in self.processes.values()]

    def pool(self, name: str = "worker") -> list[int]:
        """The processes of a worker that do its work."""
        return children(self.processes[name].pid)

    def begin(self) -> None:
        """Make every procedure due now and wake a poll of each."""
        with self.runtime.database.begin() as connection:
            connection.execute(update(Procedure).values(next_poll_at=utc_now()))
        app = self._app()
        app.send_task("wif.poll-due", queue="upkeep")
        app.close()

    def rest(self) -> None:
        """Let no procedure be due for a while."""
        now = utc_now()
        register_procedures(self.runtime)
        with self.runtime.database.begin() as connection:
            later = {"next_poll_at": now + LATER}
            connection.execute(update(Procedure).values(**later))

    def stop(self) -> None:
        """End every process."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def _start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )

    def _app(self) -> Celery:
        app = Celery("bench", broker=self.environment["WIF_BROKER_URL"])
        app.conf.broker_transport_options = {"global_keyprefix": "wif:"}
        return app


@contextmanager
def service(
    parts: Parts, sink: Sink, *, name: str = "service", tps: Tps | None = None, **more: str
) -> Iterator[Service]:
    """A service without a row and without a process; its database is dropped at the end.

    Args:
        parts: what it works with.
        sink: where its mail goes.
        name: of the folder of its logs.
        tps: its TPS, when it is not that of `parts`.
        more: settings by their names in lower case (`poll_interval="5"`).
    """
    folder = parts.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    url = parts.databases.create()
    at = tps or parts.tps
    chosen = {
        "tps_url": at.url,
        "tps_token": at.token,
        "tps_api": "v1",
        "database_url": url,
        "broker_url": parts.broker.url,
        "smtp_url": f"smtp://{sink.host}:{sink.port}",
        "var_dir": str(folder),
        "audit_key": base64.b64encode(secrets.token_bytes(32)).decode(),
        "tps_requests_per_minute": "1000000",
        "notify_decided": "true",
        **more,
    }
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("WIF_")}
    ours = {f"{settings.PREFIX}{key.upper()}": value for key, value in chosen.items()}
    environment = {**inherited, **ours, settings.DOTENV: os.devnull}
    runtime = Runtime(settings.read(**chosen))
    prepare(runtime)
    made = Service(runtime, environment, folder)
    made.rest()
    try:
        yield made
    finally:
        made.stop()
        runtime.close()
        parts.databases.drop(url)


def vacuum(database: Database) -> None:
    """Let the planner know the tables as it would after a while."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Longer than any statement of the service may take.
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("VACUUM ANALYZE")
        connection.exec_driver_sql("RESET statement_timeout")
