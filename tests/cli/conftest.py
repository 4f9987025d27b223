"""Settings with which a command reaches the service of a test."""

from pathlib import Path

import pytest

from routing.forms import Form
from simulator import Server
from tests.fixtures.harness import PARIS_FORM, Harness


@pytest.fixture
def service(harness: Harness, tps: Server, tmp_path: Path) -> dict[str, str]:
    """Settings of a service on the harness's database."""
    return {
        "WIF_TPS_URL": tps.url,
        "WIF_TPS_TOKEN": tps.simulator.token,
        "WIF_DATABASE_URL": harness.runtime.settings.database,
        "WIF_VAR_DIR": str(tmp_path / "var"),
        "WIF_OUTBOX_DIR": str(harness.outbox),
        "WIF_TPS_PROCEDURES": harness.runtime.settings.tps_procedures,
    }


@pytest.fixture
def paris(harness: Harness) -> Form:
    return harness.form(PARIS_FORM)
