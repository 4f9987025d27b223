"""A world for each scenario."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.live import broker, make_service
from tests.faults.world import World, world

__all__ = ["broker", "make_service"]


MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(database_url: str, tmp_path: Path) -> Iterator[MakeWorld]:
    """Makes worlds around the test's database, on each engine in turn."""
    with ExitStack() as stack:

        def make(**settings: Any) -> World:  # noqa: ANN401
            made: AbstractContextManager[World] = world(database_url, tmp_path, **settings)
            return stack.enter_context(made)

        yield make
