"""The audit log gets its partitions while real workers read, decide, send and are killed."""

import pytest

from store.audit.check import verify
from store.audit.seal_keys import load_or_create_signing_key
from store.audit.seals import read_seals, seal_pending
from store.engine import Database
from store.partitions import is_partitioned, partition
from tests.faults.process_fixtures import MakeService
from tests.faults.service_processes import Interventions
from tests.faults.test_live_service import copies
from tests.faults.worker_processes import is_mail

postgres_only = pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)


@postgres_only
def test_partitions_are_made_under_load_and_nothing_is_lost_or_told_twice(
    make_service: MakeService, database_url: str
) -> None:
    service = make_service()
    interventions = Interventions(service.system, is_mail, {150: service.kill})
    service.system.file(300)
    service.start_worker(concurrency=4)
    service.start_beat()
    assert service.until(lambda: len(service.system.offices.messages) > 50)

    database, now = Database(database_url), service.system.clock()
    partition(database, now, batch=100)

    assert is_partitioned(database)
    service.system.file(50)
    assert service.until(lambda: interventions.done)
    assert service.settle() == []
    assert copies(service.system) <= service.system.accounted.total()
    key = load_or_create_signing_key(service.log.parent / "own-seal.key")
    seal_pending(database, key, now=now)
    # What the service sealed by itself is under its own key.
    known = {each.public_key for each in read_seals(database)}
    assert verify(database, trusted=frozenset(known)).intact
    database.close()
