"""Workers behind PgBouncer and behind Redis Sentinel: the master dies, a replica takes over."""

import pytest

from tests.faults.process_fixtures import MakeService
from tests.faults.service_processes import Interventions
from tests.faults.test_live_service import copies
from tests.faults.worker_processes import is_detail, is_mail
from tests.fixtures.pgbouncer import needs_pgbouncer, pgbouncer
from tests.fixtures.sentinel import redundant_redis

sqlite_only = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
postgres_only = pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)


@sqlite_only
def test_a_replica_takes_over_from_the_master_and_nothing_is_lost_or_told_twice(
    make_service: MakeService,
) -> None:
    with redundant_redis() as broker:
        heir = broker.servers[1].port
        service = make_service(broker_url=broker.url)
        interventions = Interventions(service.system, is_mail, {30: broker.servers[0].kill})
        service.system.file(200)
        service.start_worker()
        service.start_beat()
        assert service.until(lambda: interventions.done)
        assert service.until(lambda: broker.master() == heir)
        service.system.file(20)

        assert service.settle() == []
        assert copies(service.system) == 0


@sqlite_only
def test_control_without_a_sentinel_nobody_takes_over(make_service: MakeService) -> None:
    with redundant_redis() as broker:
        service = make_service(broker_url=broker.servers[0].url)
        interventions = Interventions(service.system, is_detail, {30: broker.servers[0].kill})
        service.system.file(200)
        service.start_worker()
        service.start_beat()
        assert service.until(lambda: interventions.done)
        assert not service.until(lambda: not service.system.check(), within=20)


@needs_pgbouncer
@postgres_only
def test_workers_share_few_connections_through_a_pooler(
    make_service: MakeService, database_url: str
) -> None:
    with pgbouncer(database_url, connections=2) as address:
        service = make_service(database=f"{address}?pooling=transaction")
        killer = Interventions(service.system, is_mail, {40: service.kill})
        service.system.file(200)
        service.start_worker("worker", concurrency=4)
        service.start_worker("worker-2", concurrency=4)
        service.start_beat()

        assert service.until(lambda: killer.done)
        assert service.settle() == []
        assert len({told.message_id for told in service.system.offices.told}) == 200
