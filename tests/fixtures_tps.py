"""A real TPS over loopback: the bundled simulator."""

from collections.abc import Iterator

import pytest

from simulator import Server, Simulator


@pytest.fixture
def tps() -> Iterator[Server]:
    """An empty TPS of 2021 that serves; `tps.simulator` fills it, changes it and lets it fail."""
    with Simulator().serve() as server:
        yield server
