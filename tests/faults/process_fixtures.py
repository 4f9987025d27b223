"""Fixtures of scenarios with real processes: broker, clock, service."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.clock import CLOCK, ShiftedClock
from tests.faults.service_processes import INTERVALS, Service
from tests.faults.system import System, system
from tests.fixtures.redis import RedisServer, redis_server

MakeService = Callable[..., Service]


@pytest.fixture
def broker() -> Iterator[RedisServer]:
    """A Redis of the scenario's own."""
    with redis_server() as server:
        yield server


@pytest.fixture
def make_service(
    database_url: str, tmp_path: Path, broker: RedisServer, request: pytest.FixtureRequest
) -> Iterator[MakeService]:
    """Makes services, not started, around the test's database, on each engine in turn."""
    with ExitStack() as stack:

        def make(
            *,
            without: list[str] | None = None,
            database: str = database_url,
            broker_url: str = broker.url,
            **settings: Any,  # noqa: ANN401
        ) -> Service:
            clock = ShiftedClock(tmp_path / CLOCK)
            chosen = {"log_level": "INFO", "broker_url": broker_url, **INTERVALS, **settings}
            made: System = stack.enter_context(system(database, tmp_path, clock=clock, **chosen))
            service = Service(made, tmp_path, without=without or [])
            stack.callback(service.close)
            stack.callback(lambda: print(service.printed()))  # noqa: T201 - shown where a test fails
            return service

        yield make
