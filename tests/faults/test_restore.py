"""The database is lost and put back to five minutes ago, under load: nobody is told twice."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from config.settings import read
from service.backup import back_up
from service.restore import restore
from tests.faults.conftest import MakeSystem
from tests.faults.office_server import Told
from tests.faults.system import FORMS, MINUTE, InProcessWorkers, System, make_runtime
from tests.fixtures.postgres import PACKAGE, Databases

FIVE_MINUTES = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _postgres_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = max(PACKAGE.glob("pginstall*"), key=lambda folder: folder.name)
    monkeypatch.setenv("PATH", f"{newest / 'bin'}:/usr/bin:/bin")


@pytest.fixture
def new_database(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database to restore into."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.sqlite3'}"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    url = databases.create()
    yield url
    databases.drop(url)


def back_up_at(system: System, mail: int, folder: Path) -> None:
    """Take a backup at the moment in which the mail server accepts the mail of that number."""
    seen = Counter[str]()

    def accept(_: Told) -> None:
        seen["mails"] += 1
        if seen["mails"] == mail:
            other = make_runtime(read(**system.settings.model_dump()), system.clock)
            back_up(other, folder)
            other.close()

    system.offices.on_accept = accept


def five_minutes_of_load(system: System, random: Random) -> None:
    """Dossiers come, move on and move back, while the service works."""
    until = system.clock() + FIVE_MINUTES
    while system.clock() < until:
        system.file(4)
        for number in random.sample([truth.number for truth in system.tps.truths], 3):
            department = random.choice(FORMS).department
            system.tps.change(number, department=department)
        system.turn()
        system.clock.move(MINUTE)


PutBack = Callable[[System, Path, list[Path]], None]


@pytest.fixture
def put_back(new_database: str) -> Iterator[PutBack]:
    """Loses the database and restores a backup into another one; workers start on that."""
    with ExitStack() as stack:

        def make(system: System, folder: Path, sent_logs: list[Path]) -> None:
            system.runtime.close()
            settings = read(**{**system.settings.model_dump(), "database_url": new_database})
            runtime = make_runtime(settings, system.clock)
            stack.callback(runtime.close)
            restore(runtime, folder, sent_logs)
            system.settings, system.workers = settings, InProcessWorkers(runtime)
            runtime.waker = system.workers

        yield make


def lose_five_minutes(
    system: System, folder: Path, put_back: PutBack, sent_logs: list[Path], random: Random
) -> None:
    """A backup in the midst of sending, five minutes of load, and the loss of the database."""
    back_up_at(system, 20, folder)
    system.file(40)
    system.turn()
    assert (folder / "manifest.json").exists()
    five_minutes_of_load(system, random)
    put_back(system, folder, sent_logs)
    five_minutes_of_load(system, random)


@pytest.mark.parametrize("seed", range(3))
def test_a_restore_to_five_minutes_ago_under_load_tells_nobody_twice(
    make_system: MakeSystem, tmp_path: Path, put_back: PutBack, seed: int
) -> None:
    sent_log = tmp_path / "sent.jsonl"
    system = make_system(sent_log=sent_log)

    lose_five_minutes(system, tmp_path / "backup", put_back, [sent_log], Random(seed))

    assert system.settle() == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_control_without_the_log_of_sent_messages_offices_are_told_twice(
    make_system: MakeSystem, tmp_path: Path, put_back: PutBack
) -> None:
    system = make_system(sent_log=tmp_path / "sent.jsonl")

    lose_five_minutes(system, tmp_path / "backup", put_back, [], Random(0))

    system.settle()
    copies = Counter(told.message_id for told in system.offices.told)
    assert max(copies.values()) > 1
