"""Markers planted in each place where they could come out: the controls of the search."""

import smtplib
import subprocess
import sys
from datetime import UTC, datetime
from email.message import EmailMessage

import redis
from sqlalchemy import insert, select, text, update

from store.models import AuditLine, Procedure, RuleSetActivation
from tests.fixtures.processes import until
from tests.privacy.encodings import FIRST, NAME, planted_bytes, planted_texts
from tests.privacy.marked_service import MarkedService
from tests.privacy.observers import (
    titles,
)
from tests.privacy.service_environment import SMTP_PASSWORD


def plant(service: MarkedService) -> None:
    """Put markers, in every encoding that it can hold, into each place."""
    texts = "\n".join(planted_texts().values())
    everything = b"\n".join(planted_bytes().values())
    with redis.Redis.from_url(service.redis_url) as client:
        client.set("planted", everything)
    for path in (service.folder / "tmp" / "planted", service.folder / "var" / "planted"):
        path.write_bytes(everything)
    with service.output.open("ab") as out:
        out.write(everything)
    _plant_mail(service, texts)
    _plant_rows(service, texts)
    _plant_process(service, texts)
    for text_ in planted_texts().values():
        service.send("wif.poll-procedure", text_, queue="poll")
    last = list(planted_texts().values())[-1]
    until(lambda: _shown_by_flower(service, last), "Flower shows the planted tasks")


def _shown_by_flower(service: MarkedService, argument: str) -> bool:
    tasks = service.ask_flower("/api/tasks").json().values()
    return any(argument in str(task["args"]) for task in tasks)


def _plant_mail(service: MarkedService, texts: str) -> None:
    service.smtp.behave()
    message = EmailMessage()
    message["Subject"] = f"{NAME}{FIRST}"
    message.set_content(texts)
    with smtplib.SMTP(service.smtp.host, service.smtp.port) as client:
        client.login("wif", SMTP_PASSWORD)
        client.send_message(message, "wif@wif.example", ["office@wif.example"])


def _plant_rows(service: MarkedService, texts: str) -> None:
    now = datetime.now(UTC)
    with service.database.begin() as connection:
        digest = connection.scalar(select(RuleSetActivation.hash).limit(1))
        row = {"hash": digest, "at": now, "action": "publish", "note": texts}
        connection.execute(insert(RuleSetActivation).values(row))
        line = {"at": now, "step": f"{NAME}{FIRST}", "reason": f"{NAME}{FIRST}"}
        connection.execute(insert(AuditLine).values(line))
        connection.execute(update(Procedure).values(reason=f"{NAME}{FIRST}"))
    if service.postgres is not None:
        with service.database.begin() as connection:
            quoted = texts.replace("'", "''").replace(":", "\\:")
            connection.execute(text(f"SELECT '{quoted}'"))
            service.sample()


def _plant_process(service: MarkedService, texts: str) -> None:
    command = [sys.executable, "-c", "input()", texts]
    with subprocess.Popen(
        command, env={"NAME": texts}, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        # A process has its command line a moment after it has begun.
        until(lambda: bool(titles(process.pid)["cmdline"]), "the process is there")
        for name, content in titles(process.pid).items():
            service.samples[f"process {name}"] += content
        process.communicate(b"\n")
