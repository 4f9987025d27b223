"""Re-routing decides open dossiers anew under the rule set in force, once."""

from routing.facts import DossierState
from service.publish_rules import publish
from service.reassign import reassign
from service.reroute import RerouteReport, reroute_open
from tests.fixtures import shipped_rules
from tests.fixtures.harness import PARIS_FORM, Harness


def publish_without_paris(harness: Harness) -> None:
    """Put rules in force by which UD 93 serves Paris."""
    document = shipped_rules.document().replace('"departments":["75"]', '"departments":[]')
    document = document.replace('"departments":["93"]', '"departments":["75","93"]')
    with harness.runtime.database.begin() as connection:
        publish(harness.runtime, connection, document)


def test_undecided_dossiers_move_and_both_offices_are_told_once(harness: Harness) -> None:
    undecided, decided, pinned = (harness.file(department="75") for _ in range(3))
    harness.run()
    harness.wait(minutes=5)
    harness.tps.change(decided, state=DossierState.CLOSED, changed_at=harness.now)
    harness.run()
    reassign(harness.runtime, PARIS_FORM, pinned, unit="UD092", reason="moved")
    publish_without_paris(harness)
    assert reroute_open(harness.runtime) == RerouteReport(examined=2, moved=1)
    assert reroute_open(harness.runtime) == RerouteReport()
    harness.run()
    units = [harness.dossier(number).assignment.units for number in (undecided, decided, pinned)]
    assert units == [("UD093",), ("UD075",), ("UD092",)]
    assert sorted(harness.told(undecided)) == [
        ("filed", "UD075"),
        ("reassigned-from", "UD075"),
        ("reassigned-to", "UD093"),
    ]
