"""The stage of the use-case tests, on each database engine in turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import Server
from tests.stage import Stage, make_stage


@pytest.fixture
def stage(database_url: str, tps: Server, tmp_path: Path) -> Iterator[Stage]:
    made = make_stage(database_url, tps, tmp_path)
    yield made
    made.runtime.close()
