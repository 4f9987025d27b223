"""A dossier first seen already decided is recorded, and nobody is told of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import Server
from store.dossiers import DossierStatus
from tests.fixtures.harness import PARIS_FORM, Harness, make_harness
from tests.fixtures.processes import wif


@pytest.fixture
def shipped(database_url: str, tps: Server, tmp_path: Path) -> Iterator[Harness]:
    """A harness with the default of the settings."""
    made = make_harness(database_url, tps, tmp_path, notify_decided=False)
    yield made
    made.runtime.close()


@pytest.mark.parametrize("state", ["closed", "refused", "without_continuation"])
def test_it_is_recorded_and_told_to_nobody(shipped: Harness, state: str) -> None:
    decided = shipped.file(state=state)
    waiting = shipped.file()
    report = shipped.run()
    assert shipped.dossier(decided).status is DossierStatus.ROUTED
    assert shipped.dossier(decided).assignment.units == ("UD075",)
    assert (shipped.told(decided), shipped.told(waiting)) == ([], [("filed", "UD075")])
    assert (report.routing.routed, report.routing.recorded, report.delivery.sent) == (2, 1, 1)
    shipped.wait(hours=1)
    assert shipped.run().delivery.sent == 0


def test_one_that_is_decided_later_was_told_before(shipped: Harness) -> None:
    number = shipped.file()
    shipped.run()
    shipped.wait(minutes=1)
    shipped.tps.change(number, state="closed")
    shipped.run()
    assert shipped.told(number) == [("filed", "UD075")]


def test_a_setting_brings_the_notice_back(harness: Harness) -> None:
    number = harness.file(state="closed")
    assert harness.run().routing.recorded == 0
    assert harness.told(number) == [("filed", "UD075")]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_run_once_says_how_many_are_told_and_how_many_only_recorded(
    shipped: Harness, tps: Server, tmp_path: Path
) -> None:
    for state in ("closed", "refused", "initiated"):
        shipped.file(state=state)
    ran = wif(
        "run-once",
        WIF_NOTIFY_DECIDED="false",
        WIF_TPS_URL=tps.url,
        WIF_TPS_TOKEN=tps.simulator.token,
        WIF_DATABASE_URL=shipped.runtime.settings.database,
        WIF_VAR_DIR=str(tmp_path / "var"),
        WIF_TPS_PROCEDURES=str(PARIS_FORM),
    )
    assert "first contact: 1 dossier is told to its office, 2 are only recorded" in ran.stdout
    assert len(shipped.mails()) + len(list((tmp_path / "var" / "outbox").glob("*.eml"))) == 1
