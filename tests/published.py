"""What TPS has published, which lies beside the checkout or is not there."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"
V2_SCHEMA = SHARED / "tps_v2_schema.graphql"


def published(path: Path) -> Path:
    """The path of something published; the test is skipped where it is absent."""
    if not path.exists():
        pytest.skip(f"the published {path.name} is not beside the checkout")
    return path
