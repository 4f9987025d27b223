"""What the service leaves behind: database, broker, output, mails, files, pages of Flower."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, text

from tests.fixtures.postgres import PACKAGE
from tests.fixtures.processes import ROOT, WIF
from tests.privacy import documents
from tests.privacy.marked_service import MarkedService, Places
from tests.privacy.observers import (
    redis_content,
)
from tests.privacy.web import web_pages


def broker_traces(service: MarkedService) -> Places:
    """What the broker was told and holds, before anybody misuses it."""
    content = redis_content(service.redis_url)
    return {"redis monitor": service.monitor.recorded, "redis keys": b"\n".join(content.values())}


def flower_traces(service: MarkedService) -> Places:
    """Every page and every answer of Flower."""
    tasks = service.ask_flower("/api/tasks").json()
    some = list({task["name"]: uuid for uuid, task in tasks.items()}.values())
    workers = list(service.ask_flower("/api/workers?refresh=1").json())
    pages = [
        *("/", "/workers", "/tasks", "/broker", "/metrics", "/healthcheck"),
        *("/api/workers?refresh=1", "/api/tasks", "/api/task/types", "/api/queues/length"),
        *(f"/task/{uuid}" for uuid in some),
        *(f"/api/task/info/{uuid}" for uuid in some),
        *(f"/worker/{worker}" for worker in workers),
    ]
    answers = {page: service.ask_flower(page) for page in pages}
    failed = [page for page, answer in answers.items() if not answer.ok]
    assert failed in ([], ["/api/queues/length"]), failed
    return {"flower": b"\n".join(answer.content for answer in answers.values())}


def traces(service: MarkedService) -> Places:
    """Everything else, the service running or stopped."""
    mails = service.smtp.messages
    return {
        **service.samples,
        **_database_traces(service),
        "output": service.printed(),
        "mails": b"\n".join(mail.raw for mail in mails),
        "mails decoded": "\n".join(_decoded(mail.message) for mail in mails).encode(),
        "files": _content(service.folder, without={service.output, *_secret_files(service)}),
    }


def _secret_files(service: MarkedService) -> list[Path]:
    return list((service.folder / "secrets").iterdir())


def _database_traces(service: MarkedService) -> Places:
    if service.postgres is None:
        path = Path(make_url(service.database_url).database or "")
        return {"sqlite files": _content(path.parent)}
    return {
        "postgres dump": _dump(service),
        "postgres files": _data_files(service),
        "postgres log": service.postgres.log.read_bytes(),
    }


def _dump(service: MarkedService) -> bytes:
    program = max(PACKAGE.glob("pginstall*"), key=lambda folder: folder.name) / "bin/pg_dump"
    url = make_url(service.database_url).set(drivername="postgresql")
    made = subprocess.run(
        [program, "--dbname", url.render_as_string(hide_password=False)],
        capture_output=True,
        check=True,
    )
    return made.stdout


def _data_files(service: MarkedService) -> bytes:
    """Our tables and indexes as they are on disk, with what is stored beside them."""
    assert service.postgres is not None
    with service.database.engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.execute(text("CHECKPOINT"))
        paths = alone.execute(text(_OUR_FILES)).scalars().all()
    return b"\n".join((service.postgres.data / path).read_bytes() for path in paths)


def commands(service: MarkedService) -> Places:
    """What the commands print that show something, and an export for an inspector."""
    good, broken = documents.GOOD, service.tps.numbers(documents.GOOD, "500")[0]
    export = service.folder / "export.jsonl"
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
    printed = _run((sys.executable, "-c", _EACH, *lines), service.environment)
    return {"commands": printed, "audit export": export.read_bytes()}


def web_traces(service: MarkedService) -> Places:
    """What `wif serve` shows."""
    return {"web": web_pages(service.environment, service.folder, service.tps.markers.plain())}


def one_pass(service: MarkedService) -> Places:
    """`wif run-once` without a broker and a mail server, and the files that it writes."""
    folder = service.folder / "one pass"
    service.tps.throttles = False
    changes = {
        "WIF_DATABASE_URL": f"sqlite:///{folder / 'wif.sqlite3'}",
        "WIF_VAR_DIR": str(folder / "var"),
    }
    without = ("WIF_DATABASE_URL_FILE", "WIF_BROKER_URL_FILE", "WIF_SMTP_URL_FILE")
    environment = {k: v for k, v in service.environment.items() if k not in without}
    printed = _run((*WIF, "run-once"), {**environment, **changes})
    mails = list((folder / "var" / "outbox").glob("*.eml"))
    assert mails, printed.decode()[-3000:]
    decoded = (message_from_bytes(path.read_bytes(), policy=policy.SMTP) for path in mails)
    return {
        "one pass printed": printed,
        "one pass mails decoded": "\n".join(map(_decoded, decoded)).encode(),
        "one pass files": _content(folder),
    }


def _run(command: Sequence[str], environment: Mapping[str, str]) -> bytes:
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
