"""`wif tps-simulator` and `wif demo` where the extra `embedded` is not installed."""

import sys

import pytest

from tests.fixtures.processes import wif

NOBODY = "192.0.2.1"
"""An address that no machine has: a command that gets as far as listening ends there."""


@pytest.mark.parametrize("command", [("tps-simulator", "--host", NOBODY), ("demo",)], ids=" ".join)
def test_a_simulator_that_could_not_answer_v2_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "graphql", None)
    refused = wif(*command)
    assert refused.returncode == 2
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert "pip install 'work-in-france-routing[embedded]'" in line


def test_with_it_the_simulator_starts() -> None:
    ran = wif("tps-simulator", "--host", NOBODY, "--dossiers", "1")
    assert ran.returncode != 0
    assert "embedded" not in ran.stderr
