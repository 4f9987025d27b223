"""State that workers share through Redis, where a replica takes over from the master."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.guards.redis_state import RedisState
from service.guards.throttle import Throttle
from tests.fixtures.processes import until, wif
from tests.fixtures.sentinel import MASTER, Redundant, redundant_redis

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture
def broker() -> Iterator[Redundant]:
    with redundant_redis() as made:
        yield made


def test_what_stands_there_outlives_the_master(broker: Redundant) -> None:
    state = RedisState(broker.url, away_seconds=0.1)
    assert state.ask(lambda client: bool(client.set("wif:a", "1")), otherwise=False)
    assert state.ask(lambda client: int(client.wait(1, 5_000)), 0) == 1

    broker.servers[0].kill()
    assert state.ask(lambda client: str(client.get("wif:a")), "away") == "away"
    until(lambda: broker.master() == broker.servers[1].port, "the replica takes over")
    until(lambda: state.ask(lambda client: str(client.get("wif:a")), "") == "1", "it answers")
    state.close()


def test_requests_are_counted_together(broker: Redundant) -> None:
    states = [RedisState(broker.url) for _ in range(2)]
    first, second = (Throttle(each, 400, lambda: NOW) for each in states)
    first.take(reading=True)
    assert second.used() == first.used() != 0
    for each in states:
        each.close()


def test_doctor_says_whether_another_could_take_over(broker: Redundant, tmp_path: Path) -> None:
    def said() -> str:
        settings = {"WIF_BROKER_URL": broker.url, "WIF_VAR_DIR": str(tmp_path)}
        return wif("doctor", "--json", **settings).stdout

    # The policy is checked first, and is that of the master.
    assert "answers; 1 could take over" in said()
    broker.servers[1].kill()
    until(lambda: "no replica" in said(), "the loss of the replica is seen")
    assert MASTER in broker.url
