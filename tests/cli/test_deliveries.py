"""`wif deliveries`: a replay names units that there are."""

import pytest

from tests.fixtures.harness import Harness
from tests.fixtures.processes import wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""What differs between the engines is tested below the command."""


def test_a_replay_of_a_unit_that_is_none_is_refused(
    harness: Harness, service: dict[str, str]
) -> None:
    harness.run()
    assert wif("deliveries", "replay", "--unit", "UD999", **service).returncode == 2
    assert wif("deliveries", "replay", "--unit", "UD075", **service).returncode == 0
