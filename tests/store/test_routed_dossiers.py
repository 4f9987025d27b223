"""Placements: the routed dossiers that rules placed, with the facts they were decided on."""

from routing.facts import DossierState
from service.reassign import reassign
from store.routed_dossiers import stored_decisions
from tests.fixtures.harness import PARIS_FORM, Harness


def test_stored_decisions_are_those_of_dossiers_that_nobody_pinned(harness: Harness) -> None:
    paris = harness.file(permit_type="apprentissage", department="75")
    nowhere = harness.file(permit_type="doctorat", department="2A", state="closed")
    pinned = harness.file(department="75")
    broken = harness.file()
    harness.tps.fail_detail(broken, 500)
    harness.run()
    reassign(harness.runtime, PARIS_FORM, pinned, unit="UD093", reason="moved")

    with harness.runtime.database.read() as connection:
        found = list(stored_decisions(connection))

    assert [(p.facts.number, p.units, p.rule, p.unrouted) for p in found] == [
        (paris, ("UD075",), "etudiants", False),
        (nowhere, ("NATIONAL",), "etudiants", True),
    ]
    assert found[0].facts == harness.dossier(paris).facts
    assert found[1].facts.state is DossierState.CLOSED
