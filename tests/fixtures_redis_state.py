"""Redis state as processes share it."""

from collections.abc import Callable, Iterator

import pytest

from service.guards.redis_state import RedisState

Share = Callable[[str | None], RedisState]


@pytest.fixture
def share() -> Iterator[Share]:
    """Makes what a process shares through Redis; its connections are closed at the end."""
    made: list[RedisState] = []

    def make(url: str | None) -> RedisState:
        made.append(RedisState(url))
        return made[-1]

    yield make
    for shared in made:
        shared.close()
