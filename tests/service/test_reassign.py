"""Reassignment by hand: a pin wins over the rules, both offices are told, and it can be undone."""

import pytest

from routing.facts import DossierState
from routing.outcome import PINNED_RULE
from service.reassign import ReassignmentRefused, reassign, unpin
from tests.stage import PARIS_FORM, Stage


def routed(stage: Stage) -> int:
    """A dossier of Paris that its office was told of."""
    number = stage.file(department="75")
    stage.run()
    return number


def test_both_offices_are_told_and_the_pin_is_the_rule(stage: Stage) -> None:
    number = routed(stage)
    assert reassign(stage.runtime, PARIS_FORM, number, unit="UD093", reason="moved") == ("UD093",)
    stage.run()
    assert sorted(stage.told(number)) == [
        ("filed", "UD075"),
        ("reassigned-from", "UD075"),
        ("reassigned-to", "UD093"),
    ]
    assert stage.dossier(number).rule == PINNED_RULE
    assert {"pinned", "reassigned", "queued"} <= set(stage.steps(number))


def test_a_pinned_dossier_stays_when_its_facts_change(stage: Stage) -> None:
    number = routed(stage)
    reassign(stage.runtime, PARIS_FORM, number, unit="UD093", reason="moved")
    stage.wait(minutes=5)
    stage.tps.change(number, department="92", changed_at=stage.now)
    stage.run()
    assert stage.dossier(number).assignment.units == ("UD093",)


def test_unpinned_it_goes_back_to_where_the_rules_send_it(stage: Stage) -> None:
    number = routed(stage)
    reassign(stage.runtime, PARIS_FORM, number, unit="UD093", reason="moved")
    assert unpin(stage.runtime, PARIS_FORM, number) == ("UD075",)
    stage.run()
    assert stage.told(number) == [("filed", "UD075")], "neither move was sent before it was undone"


def test_a_decided_dossier_is_reassigned_without_telling_anybody(stage: Stage) -> None:
    number = routed(stage)
    stage.wait(minutes=5)
    stage.tps.change(number, state=DossierState.CLOSED, changed_at=stage.now)
    stage.run()
    reassign(stage.runtime, PARIS_FORM, number, unit="UD093", reason="moved")
    stage.run()
    assert stage.told(number) == [("filed", "UD075")]
    assert stage.dossier(number).assignment.units == ("UD093",)


@pytest.mark.parametrize(
    ("number", "unit", "reason", "said"),
    [
        (None, "UD999", "moved", "no unit of the rule set"),
        (None, "UD093", "because", "must be one of"),
        (1, "UD093", "moved", "not known"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    stage: Stage, number: int | None, unit: str, reason: str, said: str
) -> None:
    known = routed(stage)
    with pytest.raises(ReassignmentRefused, match=said):
        reassign(stage.runtime, PARIS_FORM, number or known, unit=unit, reason=reason)
    assert "pinned" not in stage.steps(known)
