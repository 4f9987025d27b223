"""Which procedures are polled, and that each has a row."""

from pathlib import Path

import pytest

from config.settings import SettingsError
from service.register import polled_procedures, register_procedures
from simulator import Server
from store import procedures
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness, make_harness


def test_the_settings_choose_among_the_configured_procedures(harness: Harness) -> None:
    assert set(polled_procedures(harness.runtime)) == {PARIS_FORM, OTHER_FORM}
    assert len(harness.runtime.rules().forms) > 2


def test_each_polled_procedure_gets_one_row_that_is_due_at_once(harness: Harness) -> None:
    for _ in range(2):
        registered = register_procedures(harness.runtime)
    with harness.runtime.database.read() as connection:
        rows = [(row.number, row.next_poll_at) for row in procedures.listing(connection)]
    assert rows == [(number, harness.now) for number in sorted(registered)]


def test_a_procedure_that_is_not_configured_is_refused_by_name(
    database_url: str, tps: Server, tmp_path: Path
) -> None:
    harness = make_harness(database_url, tps, tmp_path, tps_procedures="1")
    with pytest.raises(SettingsError, match="WIF_TPS_PROCEDURES: 1 is not among"):
        register_procedures(harness.runtime)
    harness.runtime.close()
