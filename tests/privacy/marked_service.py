"""The whole service as processes, on a TPS full of markers."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from queue import Empty, Queue

import requests
import trustme
from celery import Celery

from store.engine import Database
from tests.fixtures.orphans import free_port
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.processes import ROOT, WIF
from tests.fixtures.raw_server import raw_server
from tests.fixtures.redis import redis_server
from tests.fixtures.smtp import SmtpServer
from tests.privacy import documents
from tests.privacy.documents import Tps
from tests.privacy.observers import (
    Monitor,
    activity,
    descendants,
    holder,
    titles,
)
from tests.privacy.service_environment import (
    SMTP_PASSWORD,
    make_database,
    make_environment,
    refuse_mail,
    server_context,
    with_password,
)
from tests.privacy.tps_conversation import Conversation, Halt

SIGNALS = {
    documents.KILLED: signal.SIGKILL,
    documents.INTERRUPTED: signal.SIGUSR1,  # Celery's soft time limit is this signal
    documents.SEGFAULT: signal.SIGSEGV,
}


Places = dict[str, bytes]
"""What was collected, by the place where it was."""


@dataclass
class MarkedService:
    """The whole service as processes, on a TPS full of markers.

    Attributes:
        folder: everything that the service writes is below it.
        tps: what TPS answers.
        database_url: where the service keeps what it knows.
        redis_url: its broker.
        smtp: its mail server.
        environment: of its processes.
        postgres: the cluster, None on SQLite.
        halts: connections that stopped half-way.
        flower: port of Flower.
        pids: of the processes of the service that were ever seen.
        samples: what was seen of processes and of the database meanwhile.
    """

    folder: Path
    tps: Tps
    database_url: str
    redis_url: str
    smtp: SmtpServer
    environment: Mapping[str, str]
    postgres: PostgresServer | None
    halts: "Queue[Halt]"
    monitor: Monitor
    flower: int = field(default_factory=free_port)
    up: "subprocess.Popen[bytes] | None" = None
    samples: Places = field(default_factory=dict)

    @property
    def output(self) -> Path:
        """What the processes print."""
        return self.folder / "output"

    @cached_property
    def database(self) -> Database:
        """The service's database, seen from outside."""
        return Database(self.database_url)

    def start(self) -> None:
        command = [*WIF, "up", "--flower", f"--flower-port={self.flower}", "--concurrency=2"]
        with self.output.open("ab") as out:
            self.up = subprocess.Popen(
                command, env=dict(self.environment), cwd=ROOT, stdout=out, stderr=out
            )

    def printed(self) -> bytes:
        return self.output.read_bytes()

    def hurt(self) -> None:
        """Send a signal to whoever reads half a dossier at this moment."""
        assert self.up is not None
        try:
            halt = self.halts.get(timeout=60)
        except Empty:
            raise AssertionError(self.printed()[-3000:].decode()) from None
        pid = holder(descendants(self.up.pid), halt.port)
        assert pid is not None, "nobody holds the connection"
        self.sample()
        os.kill(pid, SIGNALS[halt.procedure])

    def sample(self) -> None:
        assert self.up is not None
        for pid in descendants(self.up.pid):
            for name, content in titles(pid).items():
                self.samples[f"process {name}"] = (
                    self.samples.get(f"process {name}", b"") + b"\n" + content
                )
        if self.postgres is not None:
            seen = self.samples.get("postgres activity", b"")
            self.samples["postgres activity"] = seen + activity(self.database_url)

    def ask_flower(self, path: str) -> requests.Response:
        login = re.search(rb"login (\S+):(\S+)", self.printed())
        auth = (login[1].decode(), login[2].decode()) if login else None
        return requests.get(f"http://127.0.0.1:{self.flower}{path}", auth=auth, timeout=20)

    def send(self, task: str, argument: str, *, queue: str) -> str:
        """Send a task with an argument that is no id."""
        client = Celery(broker=self.redis_url, set_as_current=False)
        client.conf.broker_transport_options = {"global_keyprefix": "wif:"}
        sent = client.send_task(task, args=(argument,), queue=queue, routing_key=queue)
        client.close()
        return str(sent.id)

    def stop(self) -> int:
        """Stop the service as an operator would."""
        assert self.up is not None
        if self.up.poll() is None:
            self.up.send_signal(signal.SIGTERM)
        return self.up.wait(60)


@contextmanager
def marked_service(
    folder: Path,
    *,
    postgres: bool,
    json_logs: bool,
    tps: Tps | None = None,
    more: Mapping[str, str] | None = None,
) -> Iterator[MarkedService]:
    """The service ready to be started, with its TPS, mail server, broker and database.

    Args:
        folder: for whatever the service writes.
        postgres: or SQLite.
        json_logs: as in production, with TLS; or in columns.
        tps: what is answered by v1, unless `more` names another server.
        more: settings over those that are made here.
    """
    tps, halts = tps or Tps(), Queue[Halt]()
    with ExitStack() as stack:
        authority = trustme.CA()
        tls = server_context(authority) if json_logs else None
        server = stack.enter_context(raw_server(Conversation(tps, halts), tls=tls))
        broker = stack.enter_context(redis_server())
        redis_url = with_password(broker.url)
        smtp = stack.enter_context(SmtpServer(login=("wif", SMTP_PASSWORD)))
        refuse_mail(smtp, tps)
        cluster = None
        if postgres:
            cluster = stack.enter_context(
                PostgresServer(log_statement="all", log_parameter_max_length="-1")
            )
        url = make_database(folder, cluster)
        tps_url = server.url.replace("http://127.0.0.1", "https://localhost") if tls else server.url
        environment = make_environment(
            folder, tps_url, url, redis_url, smtp.url, json_logs=json_logs
        )
        environment |= more or {}
        if tls:
            bundle = folder / "authority.pem"
            authority.cert_pem.write_to_path(str(bundle))
            environment["REQUESTS_CA_BUNDLE"] = str(bundle)
        monitor = stack.enter_context(Monitor(redis_url))
        made = MarkedService(
            folder, tps, url, redis_url, smtp, environment, cluster, halts, monitor
        )
        try:
            yield made
        finally:
            if made.up is not None:
                made.stop()
            made.database.close()
