"""Real workers and beats whose broker is emptied or stopped, whose ticks double, that must stop."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
import redis

from service.guards.limits import LEASE
from tests.faults.live import MakeService
from tests.faults.oracle import Kind
from tests.faults.service import Service, Strikes
from tests.faults.victims import is_detail, is_mail
from tests.faults.world import World
from tests.fixtures.postgres import PostgresServer, Stop
from tests.fixtures.redis import RedisServer, redis_server

sqlite_only = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
postgres_only = pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)


def copies(world: World) -> int:
    ids = Counter(told.message_id for told in world.offices.told)
    return sum(count - 1 for count in ids.values())


def flush(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.flushall()


def kinds(service: Service) -> set[Kind]:
    return {finding.kind for finding in service.world.ask()}


# --- a broker that forgets --------------------------------------------------------------------


def test_a_broker_that_is_emptied_with_a_thousand_dossiers_pending_loses_nothing(
    make_service: MakeService, broker: RedisServer
) -> None:
    service = make_service()

    def empty() -> None:
        flush(broker.url)

    strikes = Strikes(service.world, is_detail, dict.fromkeys((1, 200, 400, 600, 800), empty))
    service.world.file(1_000)
    service.start_worker()
    service.start_beat()

    assert service.settle() == []
    assert strikes.done == 5
    assert len(service.world.offices.told) == 1_000


@sqlite_only
def test_control_without_the_sweep_an_emptied_broker_leaves_work_undone(
    make_service: MakeService, broker: RedisServer
) -> None:
    service = make_service(without=["sweep"])

    def die_and_forget() -> None:
        service.kill()
        flush(broker.url)

    strikes = Strikes(service.world, is_detail, {1: die_and_forget})
    service.world.file(60)
    service.start_worker()
    service.start_beat()
    assert service.until(lambda: strikes.done)
    served = service.world.tps.served

    # The service lives and polls; whatever was pending is waited for in vain.
    assert service.until(lambda: service.world.tps.served >= served + 8)
    assert Kind.UNSETTLED in kinds(service)


@sqlite_only
@pytest.mark.parametrize("append_only", [False, True], ids=["in-memory", "append-only"])
def test_a_broker_that_dies_and_comes_back_is_found_again(
    make_service: MakeService, append_only: bool
) -> None:
    with redis_server(append_only=append_only) as own:
        service = make_service(broker_url=own.url)
        strikes = Strikes(service.world, is_mail, {30: own.kill})
        service.world.file(200)
        service.start_worker()
        service.start_beat()
        assert service.until(lambda: strikes.done)
        _quiet(service)

        service.world.file(20)
        own.start()

        assert service.settle() == []
        assert copies(service.world) == 0


def _quiet(service: Service) -> None:
    """Until the service does nothing any more."""
    before = (-1, -1)

    def same() -> bool:
        nonlocal before
        now = (service.world.tps.served, len(service.world.offices.messages))
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
        service.world.file(60)
        enough = len(service.world.offices.messages) + 40
        assert service.until(partial(_have_come, service, enough))


def _have_come(service: Service, messages: int) -> bool:
    return len(service.world.offices.messages) >= messages


def test_two_beats_have_the_effect_of_one(make_service: MakeService) -> None:
    service = make_service()
    two_beats(service)

    assert service.settle() == []
    assert copies(service.world) == 0


@postgres_only
def test_control_without_claims_two_beats_send_copies(make_service: MakeService) -> None:
    service = make_service(without=["delivery_claims"])
    two_beats(service)

    assert service.until(lambda: Kind.COPY in kinds(service), within=20)


# --- eight workers ----------------------------------------------------------------------------


@postgres_only
def test_eight_worker_processes_share_five_hundred_dossiers(make_service: MakeService) -> None:
    service = make_service()
    service.world.file(500)
    service.start_worker("worker-1", concurrency=4)
    service.start_worker("worker-2", concurrency=4)
    service.start_beat()

    assert service.settle() == []
    assert len(service.world.offices.told) == 500


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
                    service.world.ask()
                service.world.note_accident()
                restarted_times.append(1)
            return len(restarted_times) == 2

        restarted_times: list[int] = []
        strikes = Strikes(service.world, lambda _: True, {40: restart, 150: restart})
        # A restart costs each process its batch until the lease ends: enough for the second.
        service.world.file(240)
        service.start_worker()
        service.start_beat()
        assert service.until(restarted)
        assert strikes.done == 2

        with suppress(Exception):
            service.world.ask()
        service.deaths += 1
        service.world.clock.move(LEASE)
        assert service.settle() == []


# --- an orderly end ---------------------------------------------------------------------------


@pytest.mark.parametrize("at", [1, 30])
def test_a_worker_that_is_told_to_stop_leaves_nothing_claimed(
    make_service: MakeService, at: int
) -> None:
    service = make_service()
    strikes = Strikes(service.world, is_mail, {at: lambda: None})
    service.world.file(120)
    service.start_worker()
    service.start_beat()
    assert service.until(lambda: strikes.done)
    service.stop()

    assert Kind.LEASE not in kinds(service)
    assert copies(service.world) == 0
    service.world.crew.tick()
    service.world.crew.work()
    assert service.world.settle() == []
