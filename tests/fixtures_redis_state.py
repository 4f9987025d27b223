"""Redis state as processes share it."""

from collections.abc import Callable, Iterator

import pytest

from service.guards.redis_state import Shared

Share = Callable[[str | None], Shared]


@pytest.fixture
def share() -> Iterator[Share]:
    """Makes what a process shares through Redis; its connections are closed at the end."""
    made: list[Shared] = []

    def make(url: str | None) -> Shared:
        made.append(Shared(url))
        return made[-1]

    yield make
    for shared in made:
        shared.close()
