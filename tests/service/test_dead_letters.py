"""Dead deliveries are listed with their cause and replayed; replaying twice sends once."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select

from service.deliver import deliver
from simulator import Server
from store import deliveries
from store.deliveries import Filter
from store.models import AuditLine
from tests.fixtures.harness import Harness, make_harness
from tests.fixtures.processes import wif
from tests.fixtures.smtp import SmtpServer
from tests.fixtures.smtp_faults import At, Fault

PARIS, BOBIGNY = "moe.ud075@direccte.example", "moe.ud093@direccte.example"


@pytest.fixture
def dead(database_url: str, tps: Server, smtp: SmtpServer, tmp_path: Path) -> Iterator[Harness]:
    """A harness with two dead deliveries to UD075 and one to UD093, and a healthy server."""
    harness = make_harness(database_url, tps, tmp_path, smtp_url=smtp.url)
    smtp.play(
        Fault(at=At.RCPT, reply="550 5.1.1 unknown", recipient=PARIS),
        Fault(at=At.CONTENT, reply="554 5.6.0 refused", recipient=BOBIGNY),
    )
    for department in ("75", "75", "93"):
        harness.file(department=department)
    harness.run()
    smtp.behave()
    harness.wait(hours=1)
    yield harness
    harness.runtime.close()


def command(harness: Harness, *arguments: str) -> str:
    """What a `wif` command prints."""
    settings = harness.runtime.settings
    assert settings.database_url is not None
    with time_machine.travel(harness.now, tick=False):
        ran = wif(
            *arguments,
            WIF_DATABASE_URL=settings.database_url.get_secret_value(),
            WIF_VAR_DIR=str(settings.var_dir),
        )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_they_are_listed_with_their_cause(dead: Harness) -> None:
    listed = json.loads(command(dead, "deliveries", "list", "--state", "dead", "--json"))
    assert sorted((each["unit"], each["reason"]) for each in listed) == [
        ("UD075", "mail-recipient-refused"),
        ("UD075", "mail-recipient-refused"),
        ("UD093", "mail-rejected"),
    ]
    status = json.loads(command(dead, "status", "--json"))
    assert status["dead_reasons"] == {"mail-recipient-refused": 2, "mail-rejected": 1}


def test_they_are_replayed_by_filter_and_audited(dead: Harness, smtp: SmtpServer) -> None:
    command(dead, "deliveries", "replay", "--reason", "mail-recipient-refused")
    deliver(dead.runtime)
    assert [each.recipient for each in smtp.messages] == [PARIS, PARIS]
    command(dead, "deliveries", "replay", "--unit", "UD093")
    deliver(dead.runtime)
    assert [each.recipient for each in smtp.messages] == [PARIS, PARIS, BOBIGNY]
    query = select(AuditLine.unit).where(AuditLine.step == "replayed").order_by(AuditLine.id)
    with dead.runtime.database.read() as connection:
        assert connection.execute(query).scalars().all() == ["UD075", "UD075", "UD093"]


def test_one_is_replayed_by_its_id(dead: Harness, smtp: SmtpServer) -> None:
    first = dead.deliveries(unit="UD093")[0]
    command(dead, "deliveries", "replay", str(first.id))
    deliver(dead.runtime)
    assert [each.recipient for each in smtp.messages] == [BOBIGNY]


def test_replaying_twice_sends_once(dead: Harness, smtp: SmtpServer) -> None:
    for _ in range(2):
        command(dead, "deliveries", "replay", "--all")
    deliver(dead.runtime)
    command(dead, "deliveries", "replay", "--all")
    deliver(dead.runtime)
    assert len(smtp.messages) == 3
    assert dead.steps().count("replayed") == 3


def test_replaying_at_the_same_time_sends_once(
    dead: Harness, smtp: SmtpServer, database_url: str, tps: Server, tmp_path: Path
) -> None:
    others = [make_harness(database_url, tps, tmp_path, smtp_url=smtp.url) for _ in range(3)]
    barrier = threading.Barrier(len(others))
    revived: list[int] = []

    def replay(harness: Harness) -> None:
        barrier.wait()
        with harness.runtime.database.begin() as connection:
            revived.append(len(deliveries.replay(connection, Filter(), harness.now)))
        deliver(harness.runtime)

    threads = [threading.Thread(target=replay, args=[harness]) for harness in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(revived) == 3
    assert len(smtp.messages) == len({each.message_id for each in smtp.messages}) == 3
    for harness in others:
        harness.runtime.close()
