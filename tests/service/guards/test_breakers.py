"""Breakers open, probe and close, agree over processes, and do not need Redis."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from service.guards.breakers import POLICIES, TPS, Breakers, BreakerState, Kind, Target, address
from tests.fixtures.redis import RedisServer, redis_server
from tests.fixtures.redis_state import Share

UD075, UD093 = address("mail", "UD075"), address("mail", "UD093")
REST = POLICIES[Kind.ADDRESS].rest
LIMIT = POLICIES[Kind.ADDRESS].failures


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture(params=["alone", "redis"])
def breakers(request: pytest.FixtureRequest, clock: Clock, share: Share) -> Iterator[Breakers]:
    """Breakers of a process without a broker, and of one with."""
    server = request.getfixturevalue("server") if request.param == "redis" else None
    shared = share(server.url if server else None)
    yield Breakers(shared, clock)
    shared.close()


def open_(breakers: Breakers, target: Target) -> None:
    for _ in range(POLICIES[target.kind].failures):
        breakers.failed(target)


def test_a_breaker_opens_after_failures_in_a_row(breakers: Breakers) -> None:
    results = [breakers.failed(UD075) for _ in range(LIMIT)]
    assert results == [False] * (LIMIT - 1) + [True]
    assert breakers.state(UD075) is BreakerState.OPEN


def test_a_success_between_failures_keeps_it_closed(breakers: Breakers) -> None:
    for _ in range(5):
        for _ in range(LIMIT - 1):
            breakers.failed(UD075)
        breakers.succeeded(UD075)
    assert breakers.state(UD075) is BreakerState.CLOSED


def test_each_target_has_its_own(breakers: Breakers) -> None:
    open_(breakers, UD075)
    assert breakers.state(UD093) is BreakerState.CLOSED
    assert breakers.state(TPS) is BreakerState.CLOSED
    assert breakers.resting([UD075, UD093, TPS]) == {UD075}


def test_after_its_rest_it_lets_a_probe_through_and_closes(
    breakers: Breakers, clock: Clock
) -> None:
    open_(breakers, UD075)
    clock.now += REST - timedelta(seconds=1)
    assert breakers.state(UD075) is BreakerState.OPEN
    clock.now += timedelta(seconds=1)
    assert breakers.state(UD075) is BreakerState.HALF_OPEN
    assert breakers.succeeded(UD075)
    assert breakers.state(UD075) is BreakerState.CLOSED
    assert not breakers.failed(UD075)


def test_a_probe_that_fails_begins_the_rest_anew(breakers: Breakers, clock: Clock) -> None:
    open_(breakers, UD075)
    for _ in range(5):
        clock.now += REST
        assert breakers.state(UD075) is BreakerState.HALF_OPEN
        assert breakers.failed(UD075)
        assert breakers.state(UD075) is BreakerState.OPEN


def test_a_clock_that_is_set_back_does_not_lengthen_the_rest(
    breakers: Breakers, clock: Clock
) -> None:
    open_(breakers, UD075)
    clock.now -= timedelta(days=1)
    assert breakers.state(UD075) is BreakerState.HALF_OPEN


def test_success_of_what_began_before_does_not_close_it(breakers: Breakers) -> None:
    open_(breakers, UD075)
    assert not breakers.succeeded(UD075)
    assert breakers.state(UD075) is BreakerState.OPEN


def test_processes_count_together_and_see_each_other(
    server: RedisServer, clock: Clock, share: Share
) -> None:
    one, two = (Breakers(share(server.url), clock) for _ in range(2))
    for breakers in (one, two, one):
        breakers.refresh()
        breakers.failed(UD075)
    two.refresh()
    assert [each.state(UD075) for each in (one, two)] == [BreakerState.OPEN, BreakerState.OPEN]
    clock.now += REST
    assert two.state(UD075) is BreakerState.HALF_OPEN
    two.succeeded(UD075)
    one.refresh()
    assert one.state(UD075) is BreakerState.CLOSED


def test_without_the_shared_state_a_process_would_count_alone(
    server: RedisServer, clock: Clock, share: Share
) -> None:
    one, two = (Breakers(share(None), clock) for _ in range(2))
    for breakers in (one, two, one):
        breakers.failed(UD075)
    assert [each.state(UD075) for each in (one, two)] == [BreakerState.CLOSED, BreakerState.CLOSED]


def test_while_redis_is_away_the_work_goes_on_with_what_is_known(
    server: RedisServer, clock: Clock, capfd: pytest.CaptureFixture[str], share: Share
) -> None:
    breakers = Breakers(share(server.url), clock)
    open_(breakers, UD093)
    server.kill()
    started = time.monotonic()
    breakers.refresh()
    open_(breakers, UD075)
    assert breakers.resting([UD075, UD093, TPS]) == {UD075, UD093}
    clock.now += REST
    assert breakers.state(UD075) is BreakerState.HALF_OPEN
    breakers.succeeded(UD075)
    assert breakers.state(UD075) is BreakerState.CLOSED
    assert time.monotonic() - started < 3
    assert "Traceback" not in "".join(capfd.readouterr())


def test_an_emptied_redis_closes_every_breaker(
    server: RedisServer, clock: Clock, share: Share
) -> None:
    shared = share(server.url)
    breakers = Breakers(shared, clock)
    open_(breakers, UD075)
    assert shared.client is not None
    shared.client.flushall()
    breakers.refresh()
    assert breakers.state(UD075) is BreakerState.CLOSED


def test_a_closed_breaker_leaves_nothing_behind(
    server: RedisServer, clock: Clock, share: Share
) -> None:
    shared = share(server.url)
    breakers = Breakers(shared, clock)
    open_(breakers, UD075)
    clock.now += REST
    breakers.state(UD075)
    breakers.succeeded(UD075)
    assert shared.client is not None
    assert shared.client.hgetall("wif:breakers") == {}


def test_what_goes_well_costs_no_round_trip(
    server: RedisServer, clock: Clock, share: Share
) -> None:
    shared = share(server.url)
    breakers = Breakers(shared, clock)
    breakers.refresh()
    assert shared.client is not None
    before = shared.client.info("stats")["total_commands_processed"]
    for _ in range(1_000):
        breakers.state(UD075)
        breakers.succeeded(UD075)
    after = shared.client.info("stats")["total_commands_processed"]
    assert after - before <= 1


@pytest.mark.parametrize(
    "nonsense", ["", "nan", "inf", "1e400", "x" * 5000, "-1", "9" * 30, b"\xff"]
)
def test_what_somebody_else_wrote_into_redis_ends_nothing(
    server: RedisServer, clock: Clock, share: Share, nonsense: str | bytes
) -> None:
    shared = share(server.url)
    breakers = Breakers(shared, clock)
    assert shared.client is not None
    for name in (f"{UD075.key}:opened", f"{UD075.key}:failures", b"\xff"):
        shared.client.hset("wif:breakers", name, nonsense)
    breakers.refresh()
    assert breakers.state(UD075) is not BreakerState.OPEN
    breakers.failed(UD075)
    clock.now += REST
    breakers.succeeded(UD075)
    assert breakers.state(UD075) is BreakerState.CLOSED
