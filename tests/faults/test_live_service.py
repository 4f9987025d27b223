"""Real workers and beats whose broker is emptied or stopped, whose ticks double, that must stop."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest
import redis
from celery import Celery

from service import queues
from service.guards.limits import LEASE, ROUTE_BATCH
from simulator import Seen
from store import heartbeats
from tests.faults.process_fixtures import MakeService
from tests.faults.service_processes import Interventions, Service
from tests.faults.system import System
from tests.faults.violations import Kind
from tests.faults.worker_processes import PATIENCE, is_detail, is_mail
from tests.fixtures.postgres import PostgresServer, Stop
from tests.fixtures.redis import RedisServer, redis_server

PREFIX = "wif:"
"""Of the broker's keys in Redis, as `celeryconfig.py` has it."""

sqlite_only = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
postgres_only = pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)


def copies(system: System) -> int:
    ids = Counter(told.message_id for told in system.offices.told)
    return sum(count - 1 for count in ids.values())


def flush(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.flushall()


def kinds(service: Service) -> set[Kind]:
    return {violation.kind for violation in service.system.check()}


# --- a broker that forgets --------------------------------------------------------------------


def test_a_broker_that_is_emptied_with_a_thousand_dossiers_pending_loses_nothing(
    make_service: MakeService, broker: RedisServer
) -> None:
    service = make_service()

    def empty() -> None:
        flush(broker.url)

    interventions = Interventions(
        service.system, is_detail, dict.fromkeys((1, 200, 400, 600, 800), empty)
    )
    service.system.file(1_000)
    service.start_worker()
    service.start_beat()

    assert service.settle() == []
    assert interventions.done == 5
    assert len(service.system.offices.told) == 1_000


@sqlite_only
def test_control_without_the_sweep_an_emptied_broker_leaves_work_undone(
    make_service: MakeService, broker: RedisServer
) -> None:
    service = make_service(without=["sweep"])

    def die_and_forget() -> None:
        service.kill()
        flush(broker.url)

    interventions = Interventions(service.system, is_detail, {1: die_and_forget})
    service.system.file(60)
    service.start_worker()
    service.start_beat()
    assert service.until(lambda: interventions.done)
    served = service.system.tps.served

    # The service lives and polls; whatever was pending is waited for in vain.
    assert service.until(lambda: service.system.tps.served >= served + 8)
    assert Kind.UNSETTLED in kinds(service)


@sqlite_only
@pytest.mark.parametrize("append_only", [False, True], ids=["in-memory", "append-only"])
def test_a_broker_that_dies_and_comes_back_is_found_again(
    make_service: MakeService, append_only: bool
) -> None:
    with redis_server(append_only=append_only) as own:
        service = make_service(broker_url=own.url)
        interventions = Interventions(service.system, is_mail, {30: own.kill})
        service.system.file(200)
        service.start_worker()
        service.start_beat()
        assert service.until(lambda: interventions.done)
        _quiet(service)

        service.system.file(20)
        own.start()

        assert service.settle() == []
        assert copies(service.system) == 0


def _quiet(service: Service) -> None:
    """Until the service does nothing any more."""
    before = (-1, -1)

    def same() -> bool:
        nonlocal before
        now = (service.system.tps.served, len(service.system.offices.messages))
        before, unchanged = now, now == before
        return unchanged

    assert service.until(same)


# --- ticks that double ------------------------------------------------------------------------


def two_beats(service: Service) -> None:
    """Two workers and two beats, and dossiers that come in waves."""
    service.start_worker(concurrency=4)
    service.start_beat("beat-1")
    service.start_beat("beat-2")
    for _ in range(3):
        service.system.file(60)
        enough = len(service.system.offices.messages) + 40
        assert service.until(partial(_have_come, service, enough))


def _have_come(service: Service, messages: int) -> bool:
    return len(service.system.offices.messages) >= messages


def test_two_beats_have_the_effect_of_one(make_service: MakeService) -> None:
    service = make_service()
    two_beats(service)

    assert service.settle() == []
    assert copies(service.system) == 0


@postgres_only
def test_control_without_claims_two_beats_send_copies(make_service: MakeService) -> None:
    service = make_service(without=["delivery_claims"])
    two_beats(service)

    assert service.until(lambda: Kind.COPY in kinds(service), within=20)


# --- eight workers ----------------------------------------------------------------------------


@postgres_only
def test_eight_worker_processes_share_five_hundred_dossiers(make_service: MakeService) -> None:
    service = make_service()
    service.system.file(500)
    service.start_worker("worker-1", concurrency=4)
    service.start_worker("worker-2", concurrency=4)
    service.start_beat()

    assert service.settle() == []
    assert len(service.system.offices.told) == 500


# --- a database that restarts -----------------------------------------------------------------


@postgres_only
@pytest.mark.parametrize("mode", [Stop.FAST, Stop.KILL])
def test_a_database_that_restarts_under_the_workers_loses_nothing(
    make_service: MakeService, mode: Stop
) -> None:
    with PostgresServer(fsync=True) as own:
        service = make_service(database=own.url())
        restarts: list[Callable[[], None]] = []

        def restart() -> None:
            # From the look, not from here: this is the thread that has to answer.
            restarts.append(lambda: own.restart(mode))

        def restarted() -> bool:
            while restarts:
                restarts.pop()()
                # Our own connections were cut as well.
                with suppress(Exception):
                    service.system.check()
                service.system.note_accident()
                restarted_times.append(1)
            return len(restarted_times) == 2

        restarted_times: list[int] = []
        interventions = Interventions(service.system, lambda _: True, {40: restart, 150: restart})
        # A restart costs each process its batch until the lease ends: enough for the second.
        service.system.file(240)
        service.start_worker()
        service.start_beat()
        assert service.until(restarted)
        assert interventions.done == 2

        with suppress(Exception):
            service.system.check()
        service.deaths += 1
        service.system.clock.move(LEASE)
        assert service.settle() == []


# --- a TPS that hangs -------------------------------------------------------------------------


@contextmanager
def hanging(service: Service) -> Iterator[None]:
    """TPS hangs at the first dossier that is read, and the worker that reads it with it."""
    reached, over = threading.Event(), threading.Event()

    def wait(seen: Seen) -> None:
        if is_detail(seen):
            reached.set()
            over.wait(PATIENCE)

    service.system.tps.on_request = wait
    service.system.file(4 * ROUTE_BATCH)  # more than are read at once: the sweep finds the rest due
    service.start_beat()
    assert service.until(reached.is_set)
    try:
        yield
    finally:
        over.set()
        service.close()


def health_and_sweep_run(service: Service, broker: RedisServer, *, within: float) -> bool:
    """Whether health notes who lives, and the sweep wakes workers although the broker forgot."""
    flush(broker.url)
    with Celery(broker=broker.url) as app:
        app.conf.broker_transport_options = {"global_keyprefix": PREFIX}
        app.send_task("wif.check-health", queue=queues.UPKEEP)

    def noted() -> bool:
        with (
            service.system.runtime.database.read() as connection,
            redis.Redis.from_url(broker.url) as client,
        ):
            woken = client.llen(f"{PREFIX}{queues.ROUTE}")
            return bool(heartbeats.listing(connection)) and woken > 0

    return service.until(noted, within=within)


@sqlite_only
def test_health_and_sweep_run_while_the_workers_hang(
    make_service: MakeService, broker: RedisServer
) -> None:
    service = make_service(tps_read_timeout=60)
    service.start_worker(concurrency=1, queues="poll,route,deliver")
    service.start_worker("upkeep", concurrency=1, queues="upkeep")

    with hanging(service):
        assert health_and_sweep_run(service, broker, within=PATIENCE / 2)


@sqlite_only
def test_control_with_one_worker_for_all_queues_health_and_sweep_wait_for_what_hangs(
    make_service: MakeService, broker: RedisServer
) -> None:
    service = make_service(tps_read_timeout=60)
    service.start_worker(concurrency=1)

    with hanging(service):
        assert not health_and_sweep_run(service, broker, within=8)


# --- an orderly end ---------------------------------------------------------------------------


@pytest.mark.parametrize("at", [1, 30])
def test_a_worker_that_is_told_to_stop_leaves_nothing_claimed(
    make_service: MakeService, at: int
) -> None:
    service = make_service()
    interventions = Interventions(service.system, is_mail, {at: lambda: None})
    service.system.file(120)
    service.start_worker()
    service.start_beat()
    assert service.until(lambda: interventions.done)
    service.stop()

    assert Kind.LEASE not in kinds(service)
    assert copies(service.system) == 0
    service.system.workers.tick()
    service.system.workers.work()
    assert service.system.settle() == []
