"""Re-routing decides undecided dossiers anew under the rule set in force, once."""

from routing.facts import DossierState
from service.publish_rules import publish
from service.reassign import reassign
from service.reroute import RerouteReport, reroute_open
from tests import shipped
from tests.stage import PARIS_FORM, Stage


def publish_without_paris(stage: Stage) -> None:
    """Put rules in force by which UD 93 serves Paris."""
    document = shipped.document().replace('"departments":["75"]', '"departments":[]')
    document = document.replace('"departments":["93"]', '"departments":["75","93"]')
    with stage.runtime.database.begin() as connection:
        publish(stage.runtime, connection, document)


def test_undecided_dossiers_move_and_both_offices_are_told_once(stage: Stage) -> None:
    undecided, decided, pinned = (stage.file(department="75") for _ in range(3))
    stage.run()
    stage.wait(minutes=5)
    stage.tps.change(decided, state=DossierState.CLOSED, changed_at=stage.now)
    stage.run()
    reassign(stage.runtime, PARIS_FORM, pinned, unit="UD092", reason="moved")
    publish_without_paris(stage)
    assert reroute_open(stage.runtime) == RerouteReport(examined=2, moved=1)
    assert reroute_open(stage.runtime) == RerouteReport()
    stage.run()
    units = [stage.dossier(number).assignment.units for number in (undecided, decided, pinned)]
    assert units == [("UD093",), ("UD075",), ("UD092",)]
    assert sorted(stage.told(undecided)) == [
        ("filed", "UD075"),
        ("reassigned-from", "UD075"),
        ("reassigned-to", "UD093"),
    ]
