"""What tests of the store have in common: an open database, and a key that signs seals."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.audit.seal_keys import SigningKey
from store.engine import Database
from tests.store.audit.samples import signing_key


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return signing_key(tmp_path)
