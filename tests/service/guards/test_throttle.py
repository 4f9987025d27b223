"""The limit towards TPS holds for all workers together, and waiting for it costs nothing."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing.failures import Action, Cause, Failure
from service.guards.redis_state import RedisState
from service.guards.throttle import LARGEST_RESERVE, MINUTE_SECONDS, SHELF_LIFE_SECONDS, Throttle
from tests.fixtures.redis import RedisServer, redis_server
from tests.fixtures.redis_state import Share

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


def make(shared: RedisState, per_minute: int, patience: float = 0, **seconds: Any) -> Throttle:  # noqa: ANN401
    throttle = Throttle(
        shared, per_minute, lambda: NOW, sleep=lambda _: time.sleep(0.01), **seconds
    )
    throttle.patience = patience
    return throttle


def granted(throttle: Throttle, wanted: int, *, reading: bool = False) -> int:
    for count in range(wanted):
        try:
            throttle.take(reading=reading)
        except Failure:
            return count
    return wanted


@pytest.mark.parametrize("with_redis", [False, True])
def test_no_more_than_the_limit_is_granted(
    server: RedisServer, with_redis: bool, share: Share
) -> None:
    throttle = make(share(server.url if with_redis else None), 300)
    assert granted(throttle, 1_000) == 300


def test_all_workers_share_the_limit(server: RedisServer, share: Share) -> None:
    workers = [make(share(server.url), 400) for _ in range(4)]
    total = sum(granted(worker, 1, reading=True) for _ in range(200) for worker in workers)
    assert 360 - 4 * 4 <= total <= 400


def test_without_the_shared_count_each_worker_would_take_the_whole_limit(share: Share) -> None:
    workers = [make(share(None), 40) for _ in range(4)]
    assert sum(granted(worker, 100) for worker in workers) == 160


def test_reading_leaves_some_requests_to_the_polls(server: RedisServer, share: Share) -> None:
    reader, poller = (make(share(server.url), 1_000) for _ in range(2))
    assert granted(reader, 2_000, reading=True) == 900
    assert granted(poller, 2_000) == 100


def test_a_request_too_many_is_a_failure_that_costs_no_attempt(share: Share) -> None:
    throttle = make(share(None), 1)
    throttle.take()
    with pytest.raises(Failure) as caught:
        throttle.take()
    assert caught.value.cause is Cause.TPS_THROTTLED
    assert caught.value.action is Action.THROTTLED
    assert caught.value.retry_after == pytest.approx(MINUTE_SECONDS + SHELF_LIFE_SECONDS)


def test_it_waits_a_moment_for_its_turn(share: Share) -> None:
    throttle = make(share(None), 5, patience=5, minute=1, shelf_life=0)
    started = time.monotonic()
    assert granted(throttle, 12) == 12
    assert 1.9 <= time.monotonic() - started < 4


def test_what_was_reserved_long_ago_is_thrown_away(share: Share) -> None:
    kept, stale = make(share(None), 200), make(share(None), 200, shelf_life=0)
    assert granted(kept, 200, reading=True) == 180
    assert granted(stale, 200, reading=True) == 90


def test_while_redis_is_away_each_counts_for_itself(server: RedisServer, share: Share) -> None:
    throttle = make(share(server.url), 100)
    assert granted(throttle, 60) == 60
    server.kill()
    started = time.monotonic()
    assert granted(throttle, 200) == 100
    assert time.monotonic() - started < 3


def test_a_429_silences_all_workers_for_as_long_as_tps_asks(
    server: RedisServer, share: Share
) -> None:
    clock = [NOW]
    one, two = (Throttle(share(server.url), 100, lambda: clock[0]) for _ in range(2))
    two.take()
    one.pause_if_throttled(Failure(Cause.TPS_THROTTLED, retry_after=120, status=429))
    for throttle in (one, two):
        with pytest.raises(Failure) as caught:
            throttle.take()
        assert caught.value.retry_after == 120
    clock[0] += timedelta(seconds=121)
    one.take()
    two.take()


def test_our_own_waiting_is_no_429(share: Share) -> None:
    throttle = make(share(None), 10)
    throttle.pause_if_throttled(Failure(Cause.TPS_THROTTLED, retry_after=120))
    throttle.take()


def test_leave_takes_few_round_trips(server: RedisServer, share: Share) -> None:
    shared = share(server.url)
    throttle = make(shared, 100_000)
    throttle.take(reading=True)
    assert shared.client is not None
    before = shared.client.info("stats")["total_commands_processed"]
    granted(throttle, 1_000, reading=True)
    after = shared.client.info("stats")["total_commands_processed"]
    # Four commands inside each of two scripts, the scripts, and one look for a pause.
    assert after - before <= 1 + 1_000 / LARGEST_RESERVE * 14


@pytest.mark.parametrize("written", ["nonsense", "nan", "inf", "1e300", "4102444800", b"\xff"])
def test_a_pause_that_nobody_can_have_asked_for_stops_nothing(
    server: RedisServer, share: Share, written: str | bytes
) -> None:
    shared = share(server.url)
    assert shared.client is not None
    shared.client.set("wif:tps-pause", written)
    make(shared, 100).take()


def test_a_pause_ends_after_an_hour_whatever_tps_says(server: RedisServer, share: Share) -> None:
    throttle = make(share(server.url), 100)
    throttle.pause_if_throttled(Failure(Cause.TPS_THROTTLED, retry_after=86_400, status=429))
    with pytest.raises(Failure) as caught:
        throttle.take()
    assert caught.value.retry_after == 3600
