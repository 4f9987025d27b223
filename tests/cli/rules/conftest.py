"""A copy of the shipped rules for each test, and one database engine."""

import shutil
from pathlib import Path

import pytest

from tests.fixtures.processes import ROOT


@pytest.fixture
def engine_name() -> str:
    """One engine: what touches the database is proved on both elsewhere."""
    return "sqlite"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy of the shipped configuration, to be edited."""
    copy = tmp_path / "edited"
    copy.mkdir()
    for path in (ROOT / "config").glob("*.yaml"):
        shutil.copy(path, copy)
    return copy
