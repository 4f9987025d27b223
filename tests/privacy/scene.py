"""The whole service as processes, on a TPS full of markers, hurt in every way; and its traces."""

import base64
import os
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import redis
import requests
import trustme
from celery import Celery
from sqlalchemy import insert, make_url, select, text, update

from config.settings import HERE as CONFIG
from store.engine import Database
from store.models import AuditLine, Delivery, Dossier, Procedure, RuleSetActivation
from store.schema import upgrade
from tests.fixtures.orphans import free_port
from tests.fixtures.postgres import PACKAGE, PostgresServer
from tests.fixtures.processes import ROOT, WIF, clean_environment, until
from tests.fixtures.raw_server import raw_server
from tests.fixtures.redis import redis_server
from tests.fixtures.smtp import SmtpServer
from tests.fixtures.smtp_faults import At, Fault
from tests.privacy import documents
from tests.privacy.documents import Tps
from tests.privacy.encodings import FIRST, NAME, planted_bytes, planted_texts
from tests.privacy.observers import (
    Monitor,
    activity,
    descendants,
    holder,
    redis_content,
    titles,
)
from tests.privacy.web import web_pages

TPS_TOKEN = "jeton-Zqkanari951"
SMTP_PASSWORD = "secret-Zqkanari952"
REDIS_PASSWORD = "secretZqkanari953"
DATABASE_PASSWORD = "secretZqkanari954"
AUDIT_KEY = base64.b64encode(b"cle-Zqkanari955-" * 3).decode()

SIGNALS = {
    documents.KILLED: signal.SIGKILL,
    documents.INTERRUPTED: signal.SIGUSR1,  # Celery's soft time limit is this signal
    documents.SEGFAULT: signal.SIGSEGV,
}

Places = dict[str, bytes]
"""What was collected, by the place where it was."""


@dataclass
class Halt:
    """A connection that stopped in the middle of an answer: of which procedure, to which port."""

    procedure: int
    port: int


@dataclass
class Scene:
    """Everything of one run.

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

    # the play

    def play(self) -> None:
        """Start the service and let everything happen."""
        self._start()
        for _ in SIGNALS:
            self._hurt()
        until(self._all_settled, "every dossier that can be is settled")
        until(lambda: b"IntegrityError" in self._printed(), "the database's refusal")
        self.tps.throttles = True
        until(lambda: "tps-throttled" in self._reasons(), "TPS asks to slow down")
        until(self._flower_knows, "Flower shows tasks")
        self._sample()

    def _start(self) -> None:
        command = [*WIF, "up", "--flower", f"--flower-port={self.flower}", "--concurrency=2"]
        with self.output.open("ab") as out:
            self.up = subprocess.Popen(
                command, env=dict(self.environment), cwd=ROOT, stdout=out, stderr=out
            )

    def _printed(self) -> bytes:
        return self.output.read_bytes()

    def _hurt(self) -> None:
        """Send a signal to whoever reads half a dossier at this moment."""
        assert self.up is not None
        try:
            halt = self.halts.get(timeout=60)
        except Empty:
            raise AssertionError(self._printed()[-3000:].decode()) from None
        pid = holder(descendants(self.up.pid), halt.port)
        assert pid is not None, "nobody holds the connection"
        self._sample()
        os.kill(pid, SIGNALS[halt.procedure])

    def _sample(self) -> None:
        assert self.up is not None
        for pid in descendants(self.up.pid):
            for name, content in titles(pid).items():
                self.samples[f"process {name}"] = (
                    self.samples.get(f"process {name}", b"") + b"\n" + content
                )
        if self.postgres is not None:
            seen = self.samples.get("postgres activity", b"")
            self.samples["postgres activity"] = seen + activity(self.database_url)

    def _all_settled(self) -> bool:
        """Whether each dossier stands where its answer must bring it."""
        with self.database.read() as connection:
            rows = connection.execute(select(Dossier.number, Dossier.status)).all()
            states = set(connection.scalars(select(Delivery.state)))
        known: dict[int, str] = dict(rows)
        routed = {
            number
            for procedure in (documents.ODD, documents.REFUSED_MAIL)
            for number in self.tps.numbers(procedure)
        } | set(self.tps.numbers(documents.GOOD, "whole"))
        broken = set(self.tps.numbers(documents.GOOD)) - routed
        return (
            all(known.get(number) == "routed" for number in routed)
            and all(known.get(number) == "quarantined" for number in broken)
            and {"sent", "dead"} <= states
            and {"tps-unauthorized", "tps-forbidden", "tps-redirected", "tps-malformed"}
            <= self._reasons()
        )

    def _reasons(self) -> set[str | None]:
        """Why procedures do not go as they should."""
        with self.database.read() as connection:
            return set(connection.scalars(select(Procedure.reason)))

    def _flower_knows(self) -> bool:
        with suppress(requests.RequestException, ValueError):
            tasks = self._ask_flower("/api/tasks").json()
            names = {task["name"] for task in tasks.values()}
            return {"wif.poll-procedure", "wif.route-dossiers", "wif.deliver"} <= names
        return False

    def _ask_flower(self, path: str) -> requests.Response:
        login = re.search(rb"login (\S+):(\S+)", self._printed())
        auth = (login[1].decode(), login[2].decode()) if login else None
        return requests.get(f"http://127.0.0.1:{self.flower}{path}", auth=auth, timeout=20)

    def misuse(self) -> None:
        """Send workers what no part of the service sends: it must not come back out of them."""
        self.send("wif.no-such-task", self.tps.markers.plain(), queue="upkeep")
        until(lambda: b"task-unregistered" in self._printed(), "the unregistered task")

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

    # its traces

    def broker_traces(self) -> Places:
        """What the broker was told and holds, before anybody misuses it."""
        content = redis_content(self.redis_url)
        return {"redis monitor": self.monitor.recorded, "redis keys": b"\n".join(content.values())}

    def flower_traces(self) -> Places:
        """Every page and every answer of Flower."""
        tasks = self._ask_flower("/api/tasks").json()
        some = list({task["name"]: uuid for uuid, task in tasks.items()}.values())
        workers = list(self._ask_flower("/api/workers?refresh=1").json())
        pages = [
            *("/", "/workers", "/tasks", "/broker", "/metrics", "/healthcheck"),
            *("/api/workers?refresh=1", "/api/tasks", "/api/task/types", "/api/queues/length"),
            *(f"/task/{uuid}" for uuid in some),
            *(f"/api/task/info/{uuid}" for uuid in some),
            *(f"/worker/{worker}" for worker in workers),
        ]
        answers = {page: self._ask_flower(page) for page in pages}
        failed = [page for page, answer in answers.items() if not answer.ok]
        assert failed in ([], ["/api/queues/length"]), failed
        return {"flower": b"\n".join(answer.content for answer in answers.values())}

    def traces(self) -> Places:
        """Everything else, the service running or stopped."""
        mails = self.smtp.messages
        return {
            **self.samples,
            **self._database_traces(),
            "output": self._printed(),
            "mails": b"\n".join(mail.raw for mail in mails),
            "mails decoded": "\n".join(_decoded(mail.message) for mail in mails).encode(),
            "files": _content(self.folder, without={self.output, *self._secret_files()}),
        }

    # markers in each place

    def plant(self) -> None:
        """Put markers, in every encoding that it can hold, into each place."""
        texts = "\n".join(planted_texts().values())
        everything = b"\n".join(planted_bytes().values())
        with redis.Redis.from_url(self.redis_url) as client:
            client.set("planted", everything)
        for path in (self.folder / "tmp" / "planted", self.folder / "var" / "planted"):
            path.write_bytes(everything)
        with self.output.open("ab") as out:
            out.write(everything)
        self._plant_mail(texts)
        self._plant_rows(texts)
        self._plant_process(texts)
        for text_ in planted_texts().values():
            self.send("wif.poll-procedure", text_, queue="poll")
        last = list(planted_texts().values())[-1]
        until(lambda: self._shown_by_flower(last), "Flower shows the planted tasks")

    def _shown_by_flower(self, argument: str) -> bool:
        tasks = self._ask_flower("/api/tasks").json().values()
        return any(argument in str(task["args"]) for task in tasks)

    def _plant_mail(self, texts: str) -> None:
        self.smtp.behave()
        message = EmailMessage()
        message["Subject"] = f"{NAME}{FIRST}"
        message.set_content(texts)
        with smtplib.SMTP(self.smtp.host, self.smtp.port) as client:
            client.login("wif", SMTP_PASSWORD)
            client.send_message(message, "wif@wif.example", ["office@wif.example"])

    def _plant_rows(self, texts: str) -> None:
        now = datetime.now(UTC)
        with self.database.begin() as connection:
            digest = connection.scalar(select(RuleSetActivation.hash).limit(1))
            row = {"hash": digest, "at": now, "action": "publish", "note": texts}
            connection.execute(insert(RuleSetActivation).values(row))
            line = {"at": now, "step": f"{NAME}{FIRST}", "reason": f"{NAME}{FIRST}"}
            connection.execute(insert(AuditLine).values(line))
            connection.execute(update(Procedure).values(reason=f"{NAME}{FIRST}"))
        if self.postgres is not None:
            with self.database.begin() as connection:
                quoted = texts.replace("'", "''").replace(":", "\\:")
                connection.execute(text(f"SELECT '{quoted}'"))
                self._sample()

    def _plant_process(self, texts: str) -> None:
        command = [sys.executable, "-c", "input()", texts]
        with subprocess.Popen(
            command, env={"NAME": texts}, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        ) as process:
            # A process has its command line a moment after it has begun.
            until(lambda: bool(titles(process.pid)["cmdline"]), "the process is there")
            for name, content in titles(process.pid).items():
                self.samples[f"process {name}"] += content
            process.communicate(b"\n")

    def _secret_files(self) -> list[Path]:
        return list((self.folder / "secrets").iterdir())

    def _database_traces(self) -> Places:
        if self.postgres is None:
            path = Path(make_url(self.database_url).database or "")
            return {"sqlite files": _content(path.parent)}
        return {
            "postgres dump": self._dump(),
            "postgres files": self._data_files(),
            "postgres log": self.postgres.log.read_bytes(),
        }

    def _dump(self) -> bytes:
        program = max(PACKAGE.glob("pginstall*"), key=lambda folder: folder.name) / "bin/pg_dump"
        url = make_url(self.database_url).set(drivername="postgresql")
        made = subprocess.run(
            [program, "--dbname", url.render_as_string(hide_password=False)],
            capture_output=True,
            check=True,
        )
        return made.stdout

    def _data_files(self) -> bytes:
        """Our tables and indexes as they are on disk, with what is stored beside them."""
        assert self.postgres is not None
        with self.database.engine.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            alone.execute(text("CHECKPOINT"))
            paths = alone.execute(text(_OUR_FILES)).scalars().all()
        return b"\n".join((self.postgres.data / path).read_bytes() for path in paths)

    def commands(self) -> Places:
        """What the commands print that show something, and an export for an inspector."""
        good, broken = documents.GOOD, self.tps.numbers(documents.GOOD, "500")[0]
        export = self.folder / "export.jsonl"
        lines = [
            "status",
            "status --json",
            "doctor",
            "dossiers list",
            "dossiers list --json",
            f"dossiers show {good}/{broken}",
            "deliveries list --json",
            "procedures list",
            "audit verify",
            f"audit trace {good}/{broken}",
            f"audit export --out {export}",
            "purge --dry-run",
        ]
        printed = self._run((sys.executable, "-c", _EACH, *lines), self.environment)
        return {"commands": printed, "audit export": export.read_bytes()}

    def web_traces(self) -> Places:
        """What `wif serve` shows."""
        return {"web": web_pages(self.environment, self.folder, self.tps.markers.plain())}

    def one_pass(self) -> Places:
        """`wif run-once` without a broker and a mail server, and the files that it writes."""
        folder = self.folder / "one pass"
        self.tps.throttles = False
        changes = {
            "WIF_DATABASE_URL": f"sqlite:///{folder / 'wif.sqlite3'}",
            "WIF_VAR_DIR": str(folder / "var"),
        }
        without = ("WIF_DATABASE_URL_FILE", "WIF_BROKER_URL_FILE", "WIF_SMTP_URL_FILE")
        environment = {k: v for k, v in self.environment.items() if k not in without}
        printed = self._run((*WIF, "run-once"), {**environment, **changes})
        mails = list((folder / "var" / "outbox").glob("*.eml"))
        assert mails, printed.decode()[-3000:]
        decoded = (message_from_bytes(path.read_bytes(), policy=policy.SMTP) for path in mails)
        return {
            "one pass printed": printed,
            "one pass mails decoded": "\n".join(map(_decoded, decoded)).encode(),
            "one pass files": _content(folder),
        }

    def _run(self, command: Sequence[str], environment: Mapping[str, str]) -> bytes:
        """What a program prints."""
        made = subprocess.run(
            command, env=dict(environment), cwd=ROOT, capture_output=True, timeout=60, check=False
        )
        assert b"Traceback" not in made.stderr
        return made.stdout + b"\n" + made.stderr


_OUR_FILES = """
SELECT pg_relation_filepath(oid) FROM pg_class
WHERE relkind IN ('r', 'i', 't') AND oid >= 16384 AND pg_relation_filepath(oid) IS NOT NULL
"""

_EACH = """
import sys
from cli.main import main
for line in sys.argv[1:]:
    sys.argv = ["wif", *line.split()]
    try:
        main()
    except SystemExit:
        pass
"""
"""Runs several `wif` commands one after the other in one process, which costs a tenth."""


def _decoded(message: Any) -> str:  # noqa: ANN401
    parts = [str(value) for value in message.values()]
    parts += [part.get_content() for part in message.walk() if not part.is_multipart()]
    return "\n".join(parts)


def _content(folder: Path, without: "set[Path] | frozenset[Path]" = frozenset()) -> bytes:
    """The names and bytes of all files below a folder."""
    pieces: list[bytes] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path not in without:
            with suppress(FileNotFoundError):
                pieces += [str(path.relative_to(folder)).encode(), path.read_bytes()]
    return b"\n".join(pieces)


# the world around


@contextmanager
def scene(folder: Path, *, postgres: bool, json_logs: bool) -> Iterator[Scene]:
    """A world full of markers, and the service ready to be started in it."""
    tps, halts = Tps(), Queue[Halt]()
    with ExitStack() as stack:
        authority = trustme.CA()
        tls = _server_context(authority) if json_logs else None
        server = stack.enter_context(raw_server(_Conversation(tps, halts), tls=tls))
        broker = stack.enter_context(redis_server())
        redis_url = _with_password(broker.url)
        smtp = stack.enter_context(SmtpServer(login=("wif", SMTP_PASSWORD)))
        _refuse_mail(smtp, tps)
        cluster = None
        if postgres:
            cluster = stack.enter_context(
                PostgresServer(log_statement="all", log_parameter_max_length="-1")
            )
        url = _database(folder, cluster)
        tps_url = server.url.replace("http://127.0.0.1", "https://localhost") if tls else server.url
        environment = _environment(folder, tps_url, url, redis_url, smtp.url, json_logs=json_logs)
        if tls:
            bundle = folder / "authority.pem"
            authority.cert_pem.write_to_path(str(bundle))
            environment["REQUESTS_CA_BUNDLE"] = str(bundle)
        monitor = stack.enter_context(Monitor(redis_url))
        made = Scene(folder, tps, url, redis_url, smtp, environment, cluster, halts, monitor)
        try:
            yield made
        finally:
            if made.up is not None:
                made.stop()
            made.database.close()


def _server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def _with_password(url: str) -> str:
    with redis.Redis.from_url(url) as client:
        client.config_set("requirepass", REDIS_PASSWORD)
    return url.replace("redis://", f"redis://:{REDIS_PASSWORD}@")


def _refuse_mail(smtp: SmtpServer, tps: Tps) -> None:
    """Servers that answer with what they were told, and with more."""
    mark = tps.markers.plain
    smtp.play(
        Fault(at=At.GREETING, reply=f"421 {mark()} busy", drop=True, times=1),
        Fault(at=At.AUTH, reply=f"454 {mark()} later", times=1),
        Fault(at=At.MAIL, reply=f"451 4.7.1 <{mark()}@{mark()}.example> greylisted", times=1),
        Fault(
            at=At.RCPT,
            reply=f"550 5.1.1 <{mark()}@{mark()}.example> unknown: 06 98 76 54 32",
            recipient="moe.ud013@direccte.internal",
        ),
        Fault(at=At.CONTENT, reply=f"451 4.3.0 {mark()}", times=2),
        Fault(at=At.CONTENT, drop=True, times=1),
    )


def _database(folder: Path, cluster: PostgresServer | None) -> str:
    """A migrated database that refuses the deliveries of one procedure."""
    if cluster is None:
        (folder / "database").mkdir()
        url = f"sqlite:///{folder / 'database' / 'wif.sqlite3'}"
    else:
        url = cluster.url().replace("postgres@", f"postgres:{DATABASE_PASSWORD}@")
    database = Database(url)
    upgrade(database)
    with database.begin() as connection:
        for statement in _BROKEN_TABLE[database.dialect]:
            connection.execute(text(statement))
    database.close()
    return url


_BROKEN_TABLE = {
    "sqlite": (
        "CREATE TRIGGER broken BEFORE INSERT ON deliveries "
        f"WHEN NEW.procedure = {documents.DATABASE} "
        "BEGIN SELECT RAISE(ABORT, 'broken'); END",
    ),
    "postgresql": (
        f"ALTER TABLE deliveries ADD CONSTRAINT broken CHECK (procedure <> {documents.DATABASE})",
    ),
}


def _environment(
    folder: Path, tps_url: str, database_url: str, redis_url: str, smtp_url: str, *, json_logs: bool
) -> dict[str, str]:
    """Settings, every secret of them in a file."""
    secrets = {
        "WIF_TPS_TOKEN": TPS_TOKEN,
        "WIF_DATABASE_URL": database_url,
        "WIF_BROKER_URL": redis_url,
        "WIF_SMTP_URL": smtp_url,
        "WIF_AUDIT_KEY": AUDIT_KEY,
    }
    for name in ("secrets", "var", "tmp"):
        (folder / name).mkdir()
    shutil.copytree(CONFIG, folder / "config", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    units = folder / "config" / "units.yaml"
    # Production refuses placeholders.
    units.write_text(units.read_text().replace("direccte.example", "direccte.internal"))
    files = {}
    for name, value in secrets.items():
        path = folder / "secrets" / name.lower()
        path.write_text(value)
        files[f"{name}_FILE"] = str(path)
    settings = {
        **files,
        "WIF_ENV": "production" if json_logs else "development",
        "WIF_LOG_LEVEL": "DEBUG",
        "WIF_MAIL_FROM": "Work In France <wif@wif.example>",
        "WIF_TPS_URL": tps_url,
        "WIF_TPS_API": "v1",
        "WIF_TPS_PROCEDURES": ",".join(map(str, documents.PROCEDURES)),
        "WIF_TPS_MAX_BYTES": str(documents.LARGEST),
        "WIF_TPS_READ_TIMEOUT": "2",
        "WIF_CONFIG_DIR": str(folder / "config"),
        "WIF_VAR_DIR": str(folder / "var"),
        "WIF_POLL_INTERVAL": "2",
        "WIF_SWEEP_INTERVAL": "1",
        "WIF_SEAL_KEY_FILE": str(folder / "secrets" / "seal.key"),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONFAULTHANDLER": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "FLOWER_UNAUTHENTICATED_API": "true",
    }
    environment = clean_environment(settings)
    if json_logs:
        new_key = [*WIF, "audit", "seals", "new-key", str(folder / "secrets" / "seal.key")]
        subprocess.run(new_key, env=environment, cwd=ROOT, check=True, capture_output=True)
    return environment


class _Conversation:
    """Answers each request as `Tps` says, and stops half-way where it says so."""

    _DETAIL = re.compile(rb"GET /api/v1/procedures/(\d+)/dossiers/(\d+)")
    _LIST = re.compile(rb"GET /api/v1/procedures/(\d+)(/dossiers)?[? ]")

    def __init__(self, tps: Tps, halts: "Queue[Halt]") -> None:
        self._tps = tps
        self._halts = halts
        self._told: set[int] = set()
        self._lock = threading.Lock()

    def __call__(self, sock: socket.socket, request: bytes) -> None:
        if detail := self._DETAIL.match(request):
            self._detail(sock, int(detail[1]), int(detail[2]))
        elif listing := self._LIST.match(request):
            sock.sendall(self._tps.listing(int(listing[1])))
        else:
            sock.sendall(self._tps.http(self._tps.page(), 200, Content_Type="text/html"))
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    def _detail(self, sock: socket.socket, procedure: int, number: int) -> None:
        answer = self._tps.details.get(number)
        if answer is None:
            sock.sendall(self._tps.http(self._tps.page(), 404))
            return
        sock.sendall(answer.data)
        if answer.hangs:
            self._halt(sock, procedure)

    def _halt(self, sock: socket.socket, procedure: int) -> None:
        """Keep the reader waiting: in silence, or with a blank now and then."""
        with self._lock:
            first = procedure in documents.HALTS and procedure not in self._told
            self._told.add(procedure)
        if not first:
            with suppress(OSError):
                sock.recv(1)
            return
        self._halts.put(Halt(procedure, sock.getpeername()[1]))
        until_gone = time.monotonic() + 30
        with suppress(OSError):
            while time.monotonic() < until_gone:
                sock.sendall(b" ")
                time.sleep(0.3)
