"""No use case asks for a second connection while it holds a transaction.

Behind a pooler with few connections, processes that do would wait for each other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from service import purge, seal, sweep, watch_health
from store.engine import Database
from tests.fixtures.harness import Harness

OPENED = ("begin", "read", "_alone")


@pytest.fixture
def most(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many connections were open at once, each time that one was opened."""
    counts: list[int] = []
    open_now = 0

    def counted(name: str) -> Any:  # noqa: ANN401
        opened = getattr(Database, name)

        @contextmanager
        def counting(self: Database, *args: Any, **options: Any) -> Iterator[Connection]:  # noqa: ANN401
            nonlocal open_now
            open_now += 1
            counts.append(open_now)
            try:
                with opened(self, *args, **options) as connection:
                    yield connection
            finally:
                open_now -= 1

        return counting

    for name in OPENED:
        monkeypatch.setattr(Database, name, counted(name))
    return counts


def passes(harness: Harness) -> None:
    for _ in range(3):
        harness.run()
        sweep.sweep(harness.runtime)
        watch_health.check(harness.runtime)
        harness.wait(hours=1)


def test_one_at_a_time(harness: Harness, most: list[int]) -> None:
    harness.file()
    passes(harness)
    harness.file()
    passes(harness)
    harness.wait(days=1_000)
    purge.purge(harness.runtime, within=timedelta(minutes=1))
    seal.seal(harness.runtime)
    assert set(most) == {1}
