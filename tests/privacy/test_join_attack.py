"""Tying audit lines to dossiers without the key, by instants, order and codes.

The register says of it: whoever reads both tables ties nearly every line while the dossier is
stored, and none once it is purged. Both are tried with the same attack.
"""

from collections import defaultdict
from datetime import datetime

import pytest
from sqlalchemy import select

from routing.facts import DossierState
from service.purge import purge
from store.audit.log import Step
from store.models import AuditLine, Dossier
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

DAYS = 730
ROUNDS = 6
AT_ONCE = 4

Spot = tuple[int, datetime]
"""A procedure, and when a dossier of it was first listed."""


def attack(harness: Harness) -> dict[tuple[int, int], str]:
    """The reference that each stored dossier must have: dossiers and lines are put side by side.

    Those of one procedure that were seen at one instant are put in their order: lines by their
    id, dossiers as they lie in their table.
    """
    seen = (AuditLine.procedure, AuditLine.at, AuditLine.dossier_ref)
    lines = select(*seen).where(AuditLine.step == Step.SEEN.value).order_by(AuditLine.id)
    stored = select(Dossier.procedure, Dossier.seen_at, Dossier.number)
    refs: dict[Spot, list[str]] = defaultdict(list)
    found: dict[Spot, list[int]] = defaultdict(list)
    with harness.runtime.database.read() as connection:
        for procedure, at, ref in connection.execute(lines):
            refs[procedure or 0, at].append(ref or "")
        for procedure, at, number in connection.execute(stored):
            found[procedure, at].append(number)
    return {
        (procedure, number): ref
        for (procedure, at), numbers in found.items()
        for number, ref in zip(numbers, refs[procedure, at], strict=False)
    }


def tied(harness: Harness, filed: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """The dossiers of `filed` whose lines the attack found, by the key that it does not have."""
    audit = harness.runtime.audit
    return {each for each, ref in attack(harness).items() if ref in audit.refs(*each)} & filed


@pytest.fixture
def filed(harness: Harness) -> set[tuple[int, int]]:
    """Dossiers that came in some rounds, a few at a time."""
    found = set()
    for _ in range(ROUNDS):
        for procedure in (PARIS_FORM, OTHER_FORM):
            found |= {(procedure, harness.file(procedure)) for _ in range(AT_ONCE)}
        harness.run()
        harness.wait(minutes=7)
    return found


def test_while_dossiers_are_stored_the_attack_ties_nearly_every_line(
    harness: Harness, filed: set[tuple[int, int]]
) -> None:
    """What the register says, and the control: the attack is a good one."""
    assert len(tied(harness, filed)) >= 0.9 * len(filed)


def test_once_they_are_purged_it_ties_none_of_theirs(
    harness: Harness, filed: set[tuple[int, int]]
) -> None:
    purged = {each for each in filed if each[0] == PARIS_FORM}
    for _, number in purged:
        harness.tps.change(number, state=DossierState.CLOSED, changed_at=harness.now)
    harness.wait(minutes=7)
    harness.run()
    harness.wait(days=DAYS + 1)
    assert purge(harness.runtime).dossiers == len(purged)
    assert tied(harness, purged) == set()
    # Their lines are there, under references that nothing leads to any more.
    assert harness.steps().count("purged") == len(purged)
    assert len(tied(harness, filed - purged)) >= 0.9 * len(filed - purged)
