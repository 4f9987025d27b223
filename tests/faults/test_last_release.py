"""Workers of the last release beside those of today, over one database and one broker."""

import subprocess
import sys
from pathlib import Path

import pytest

from release.last_release import LastRelease
from service import seal
from store.audit.check import verify
from store.audit.seals import read_seals
from tests.faults.process_fixtures import MakeService
from tests.faults.service_processes import Interventions, Service
from tests.faults.test_live_service import copies, flush
from tests.faults.worker_processes import is_mail
from tests.fixtures.redis import RedisServer

RELEASE = LastRelease.read()

pytestmark = pytest.mark.skipif(
    not RELEASE.is_there(), reason=f"the history ends before the last release, {RELEASE.commit}"
)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the last release."""
    return RELEASE.extract(tmp_path_factory.mktemp("last-release"))


def told(service: Service) -> int:
    return len(service.system.offices.messages)


def test_the_old_program_is_what_runs_there(old: Path) -> None:
    shown = "import service, store.schema as s; print(service.__file__, s.NEWEST)"
    ran = subprocess.run(
        [sys.executable, "-c", shown], cwd=old, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [str(old / "service" / "__init__.py"), RELEASE.schema]


def test_old_and_new_workers_side_by_side_lose_nothing_and_tell_nobody_twice(
    make_service: MakeService, old: Path, broker: RedisServer
) -> None:
    """As an upgrade goes: the schema first, then worker by worker.

    Each is killed in between, the broker is emptied, and TPS does not give a dossier.
    """
    service = make_service()

    service.system.file(60)
    service.start_worker("old", tree=old)
    service.start_beat("old-beat", tree=old)
    assert service.until(lambda: told(service) >= 40), "the old version works on the new schema"

    interventions = Interventions(
        service.system,
        is_mail,
        {
            60: lambda: service.kill("old"),
            85: lambda: flush(broker.url),
            110: lambda: service.kill("new"),
        },
    )
    service.start_worker("new")
    service.system.file(120)
    assert service.until(lambda: interventions.done == 3)

    service.stop_one("old-beat")
    service.start_beat("new-beat")
    service.system.tps.fail_detail(service.system.file(20)[0])
    service.stop_one("old")
    assert service.until(lambda: told(service) >= 190)
    service.system.tps.heal()

    assert service.settle() == []
    assert copies(service.system) <= service.system.accounted.total()
    assert seal.seal(service.system.runtime).lines
    database = service.system.runtime.database
    known = frozenset(each.public_key for each in read_seals(database))
    assert verify(database, trusted=known).intact


def test_back_to_the_old_workers_goes_on_too(make_service: MakeService, old: Path) -> None:
    """A version that disappoints is taken back without taking back the schema."""
    service = make_service()
    service.system.file(60)
    service.start_worker("new")
    service.start_beat("new-beat")
    assert service.until(lambda: told(service) >= 30)
    service.start_worker("old", tree=old)
    service.start_beat("old-beat", tree=old)
    service.stop_one("new-beat")
    service.stop_one("new")
    service.system.file(30)

    assert service.settle() == []
    assert copies(service.system) == 0
