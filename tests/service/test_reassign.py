"""Reassignment by hand: a pin wins over the rules, both offices are told, and it can be undone."""

import pytest

from routing.facts import DossierState
from routing.outcome import PINNED_RULE
from service.reassign import ReassignmentRefused, reassign, unpin
from tests.fixtures.harness import PARIS_FORM, Harness


def routed(harness: Harness) -> int:
    """A dossier of Paris that its office was told of."""
    number = harness.file(department="75")
    harness.run()
    return number


def test_both_offices_are_told_and_the_pin_is_the_rule(harness: Harness) -> None:
    number = routed(harness)
    assert reassign(harness.runtime, PARIS_FORM, number, unit="UD093", reason="moved") == ("UD093",)
    harness.run()
    assert sorted(harness.told(number)) == [
        ("filed", "UD075"),
        ("reassigned-from", "UD075"),
        ("reassigned-to", "UD093"),
    ]
    assert harness.dossier(number).rule == PINNED_RULE
    assert {"pinned", "reassigned", "queued"} <= set(harness.steps(number))


def test_a_pinned_dossier_stays_when_its_facts_change(harness: Harness) -> None:
    number = routed(harness)
    reassign(harness.runtime, PARIS_FORM, number, unit="UD093", reason="moved")
    harness.wait(minutes=5)
    harness.tps.change(number, department="92", changed_at=harness.now)
    harness.run()
    assert harness.dossier(number).assignment.units == ("UD093",)


def test_unpinned_it_goes_back_to_where_the_rules_send_it(harness: Harness) -> None:
    number = routed(harness)
    reassign(harness.runtime, PARIS_FORM, number, unit="UD093", reason="moved")
    assert unpin(harness.runtime, PARIS_FORM, number) == ("UD075",)
    harness.run()
    assert harness.told(number) == [("filed", "UD075")], (
        "neither move was sent before it was undone"
    )


def test_a_decided_dossier_is_reassigned_without_telling_anybody(harness: Harness) -> None:
    number = routed(harness)
    harness.wait(minutes=5)
    harness.tps.change(number, state=DossierState.CLOSED, changed_at=harness.now)
    harness.run()
    reassign(harness.runtime, PARIS_FORM, number, unit="UD093", reason="moved")
    harness.run()
    assert harness.told(number) == [("filed", "UD075")]
    assert harness.dossier(number).assignment.units == ("UD093",)


@pytest.mark.parametrize(
    ("number", "unit", "reason", "said"),
    [
        (None, "UD999", "moved", "no unit of the rule set"),
        (None, "UD093", "because", "must be one of"),
        (1, "UD093", "moved", "no such dossier"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    harness: Harness, number: int | None, unit: str, reason: str, said: str
) -> None:
    known = routed(harness)
    with pytest.raises(ReassignmentRefused, match=said):
        reassign(harness.runtime, PARIS_FORM, number or known, unit=unit, reason=reason)
    assert "pinned" not in harness.steps(known)
