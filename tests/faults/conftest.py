"""A system for each scenario."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.process_fixtures import broker, make_service
from tests.faults.system import System, system

__all__ = ["broker", "make_service"]


MakeSystem = Callable[..., System]


@pytest.fixture
def make_system(database_url: str, tmp_path: Path) -> Iterator[MakeSystem]:
    """Makes systems around the test's database, on each engine in turn."""
    with ExitStack() as stack:

        def make(**settings: Any) -> System:  # noqa: ANN401
            made: AbstractContextManager[System] = system(database_url, tmp_path, **settings)
            return stack.enter_context(made)

        yield make
