"""The floor: only what cannot be avoided for N dossiers, by as many processes as there are cores.

    python -m benchmarks.floor '{"tps": …, "token": …, "database": …, "smtp_port": …, …}'

Each process has its share of the dossiers and for each 50 of them: one GET of each over a
kept connection, one commit of 50 rows, one message each over a kept connection. The message is
an `EmailMessage` with From, To, Subject and Message-ID, text and HTML, both from Jinja templates
that are compiled once. The libraries are used as anyone uses them. No claim, no lease, no audit,
no rule, no broker; what goes wrong ends it. It prints, in seconds, the wall time of the work and
the processor time that it took, start-up left out.
"""

import json
import multiprocessing
import resource
import smtplib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from multiprocessing.synchronize import Barrier
from typing import Any

import orjson
import psycopg
import requests
from jinja2 import Template

BATCH = 50
TABLE = "CREATE TABLE floor (procedure integer, number bigint, department text, state text)"
_INSERT = "INSERT INTO floor VALUES (%s, %s, %s, %s)"
_LABEL = "Département qui figure sur le titre de séjour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the floor is to do.

    Attributes:
        tps: address of TPS.
        token: what opens it.
        database: libpq URL of a database with `TABLE`.
        smtp_port: of the SMTP server on this machine.
        text: template of the body of every message, in which `number` is the dossier's.
        page: the same as HTML.
        dossiers: procedure and number of each.
        processes: how many share the work.
    """

    tps: str
    token: str
    database: str
    smtp_port: int
    text: str
    page: str
    dossiers: Sequence[tuple[int, int]]
    processes: int


def share(order: Order, dossiers: Sequence[tuple[int, int]], begin: Barrier) -> None:
    """One process's part of the work."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {order.token}"
    smtp = smtplib.SMTP("127.0.0.1", order.smtp_port, local_hostname="floor.example")
    smtp.ehlo()
    text, page = Template(order.text), Template(order.page, autoescape=True)
    with psycopg.connect(order.database) as connection:
        begin.wait()
        for start in range(0, len(dossiers), BATCH):
            batch = dossiers[start : start + BATCH]
            rows = [_row(session, order.tps, *dossier) for dossier in batch]
            with connection.cursor() as cursor:
                cursor.executemany(_INSERT, rows)
            connection.commit()
            for procedure, number in batch:
                message = _message(procedure, number)
                message.set_content(text.render(number=number))
                message.add_alternative(page.render(number=number), subtype="html")
                smtp.send_message(message)
    smtp.quit()


def _row(session: requests.Session, tps: str, procedure: int, number: int) -> tuple[Any, ...]:
    answer = session.get(f"{tps}/api/v1/procedures/{procedure}/dossiers/{number}", timeout=30)
    answer.raise_for_status()
    dossier = orjson.loads(answer.content)["dossier"]
    found = (each["value"] for each in dossier["champs"] if _is_permit(each))
    return procedure, number, next(found, None), dossier["state"]


def _is_permit(field: Any) -> bool:  # noqa: ANN401
    return bool(field["type_de_champ"]["libelle"] == _LABEL)


def _message(procedure: int, number: int) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = "Work In France <wif@wif.example>"
    message["To"] = "office@wif.example"
    message["Subject"] = f"Nouveau dossier {procedure}/{number}"
    message["Message-ID"] = f"<floor.{procedure}.{number}@wif.example>"
    return message


def work(order: Order) -> tuple[float, float]:
    """Do it; seconds from when all processes were ready, and of processor time."""
    context = multiprocessing.get_context("fork")
    begin = context.Barrier(order.processes + 1, timeout=60)
    shares = [order.dossiers[start :: order.processes] for start in range(order.processes)]
    helpers = [context.Process(target=share, args=(order, part, begin)) for part in shares]
    for helper in helpers:
        helper.start()
    begin.wait()
    started_at = time.monotonic()
    for helper in helpers:
        helper.join()
        if helper.exitcode:
            raise SystemExit(f"a process of the floor ended with {helper.exitcode}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - started_at, used.ru_utime + used.ru_stime


def main() -> None:
    """Read the order from standard input and print the seconds."""
    print(json.dumps(work(Order(**json.load(sys.stdin)))))


if __name__ == "__main__":
    main()
