"""A reader of one form over v2."""

from collections.abc import Iterator

import pytest

from tests.connectors.tps.v2.port import Reader, reader


@pytest.fixture
def v2() -> Iterator[Reader]:
    """A reader of an empty student form."""
    with reader() as made:
        yield made
