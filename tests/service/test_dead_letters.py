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
from tests.fixtures_smtp import At, Fault, SmtpServer
from tests.processes import wif
from tests.stage import Stage, make_stage

PARIS, BOBIGNY = "moe.ud075@direccte.example", "moe.ud093@direccte.example"


@pytest.fixture
def dead(database_url: str, tps: Server, smtp: SmtpServer, tmp_path: Path) -> Iterator[Stage]:
    """A stage with two dead deliveries to UD075 and one to UD093, and a healthy server."""
    stage = make_stage(database_url, tps, tmp_path, smtp_url=smtp.url)
    smtp.play(
        Fault(at=At.RCPT, reply="550 5.1.1 unknown", recipient=PARIS),
        Fault(at=At.CONTENT, reply="554 5.6.0 refused", recipient=BOBIGNY),
    )
    for department in ("75", "75", "93"):
        stage.file(department=department)
    stage.run()
    smtp.behave()
    stage.wait(hours=1)
    yield stage
    stage.runtime.close()


def command(stage: Stage, *arguments: str) -> str:
    """What a `wif` command prints."""
    settings = stage.runtime.settings
    assert settings.database_url is not None
    with time_machine.travel(stage.now, tick=False):
        ran = wif(
            *arguments,
            WIF_DATABASE_URL=settings.database_url.get_secret_value(),
            WIF_VAR_DIR=str(settings.var_dir),
        )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_they_are_listed_with_their_cause(dead: Stage) -> None:
    listed = json.loads(command(dead, "deliveries", "list", "--state", "dead", "--json"))
    assert sorted((each["unit"], each["reason"]) for each in listed) == [
        ("UD075", "mail-recipient-refused"),
        ("UD075", "mail-recipient-refused"),
        ("UD093", "mail-rejected"),
    ]
    status = json.loads(command(dead, "status", "--json"))
    assert status["dead_reasons"] == {"mail-recipient-refused": 2, "mail-rejected": 1}


def test_they_are_replayed_by_filter_and_audited(dead: Stage, smtp: SmtpServer) -> None:
    command(dead, "deliveries", "replay", "--reason", "mail-recipient-refused")
    deliver(dead.runtime)
    assert [each.recipient for each in smtp.messages] == [PARIS, PARIS]
    command(dead, "deliveries", "replay", "--unit", "UD093")
    deliver(dead.runtime)
    assert [each.recipient for each in smtp.messages] == [PARIS, PARIS, BOBIGNY]
    query = select(AuditLine.unit).where(AuditLine.step == "replayed").order_by(AuditLine.id)
    with dead.runtime.database.read() as connection:
        assert connection.execute(query).scalars().all() == ["UD075", "UD075", "UD093"]


def test_one_is_replayed_by_its_id(dead: Stage, smtp: SmtpServer) -> None:
    first = dead.deliveries(unit="UD093")[0]
    command(dead, "deliveries", "replay", str(first.id))
    deliver(dead.runtime)
    assert [each.recipient for each in smtp.messages] == [BOBIGNY]


def test_replaying_twice_sends_once(dead: Stage, smtp: SmtpServer) -> None:
    for _ in range(2):
        command(dead, "deliveries", "replay", "--all")
    deliver(dead.runtime)
    command(dead, "deliveries", "replay", "--all")
    deliver(dead.runtime)
    assert len(smtp.messages) == 3
    assert dead.steps().count("replayed") == 3


def test_replaying_at_the_same_time_sends_once(
    dead: Stage, smtp: SmtpServer, database_url: str, tps: Server, tmp_path: Path
) -> None:
    others = [make_stage(database_url, tps, tmp_path, smtp_url=smtp.url) for _ in range(3)]
    barrier = threading.Barrier(len(others))
    revived: list[int] = []

    def replay(stage: Stage) -> None:
        barrier.wait()
        with stage.runtime.database.begin() as connection:
            revived.append(len(deliveries.replay(connection, Filter(), stage.now)))
        deliver(stage.runtime)

    threads = [threading.Thread(target=replay, args=[stage]) for stage in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(revived) == 3
    assert len(smtp.messages) == len({each.message_id for each in smtp.messages}) == 3
    for stage in others:
        stage.runtime.close()
