"""A service that follows in TPS, and units with groups there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from service.publish_rules import publish
from service.reassign import reassign
from simulator import Fault
from simulator.seen import Seen
from store.models import AuditLine
from tests.fixtures import shipped_rules
from tests.fixtures.harness import PARIS_FORM, Harness

LABELS = {"UD075": "UD 75", "UD093": "UD 93 – Bobigny"}
MOVE = "MoveDossier"


def with_groups(document: str, labels: Mapping[str, str], v1: int | None = None) -> str:
    """The document of a rule set in which units have a group beside their mailbox."""
    content = json.loads(document)
    for unit in content["units"]:
        if unit["code"] in labels:
            unit["channels"].append({"tps_group": labels[unit["code"]]})
    for procedure in content["procedures"]:
        if procedure["id"] == v1:
            procedure["api"] = "v1"
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass
class Offices:
    """A service that follows in TPS, and the groups that its units have in the Paris form."""

    harness: Harness
    groups: dict[str, int]

    def publish(self, labels: Mapping[str, str], v1: int | None = None) -> None:
        runtime, document = self.harness.runtime, with_groups(shipped_rules.document(), labels, v1)
        with runtime.database.begin() as connection:
            publish(runtime, connection, document, note="tests")

    def file(self, department: str = "75") -> int:
        number = self.harness.file(department=department)
        self.harness.run()
        return number

    def go_on(self, **duration: float) -> None:
        self.harness.wait(**duration)
        self.harness.run()

    def reassign(self, number: int, unit: str) -> None:
        reason = next(iter(self.harness.runtime.rules().reasons))
        reassign(self.harness.runtime, PARIS_FORM, number, unit=unit, reason=reason)

    def moves(self) -> int:
        """Mutations that TPS was asked for."""
        return sum(seen.operation == MOVE for seen in self.harness.tps.requests)

    def states(self, number: int) -> list[tuple[str, str, str | None]]:
        found = self.harness.deliveries(number=number, channel="tps_group")
        return [(each.unit, each.state, each.reason) for each in found]

    def group(self, number: int) -> int:
        return self.harness.tps.group_of(number)

    def fail_the_move(self, fault: Fault) -> None:
        """Let the next mutation fail."""

        def look(seen: Seen) -> None:
            if seen.operation == MOVE:
                self.harness.tps.on_request = None
                self.harness.tps.fail_all(fault)

        self.harness.tps.on_request = look

    def audited(self, number: int) -> list[tuple[str, str | None]]:
        runtime = self.harness.runtime
        refs = runtime.audit.refs(PARIS_FORM, number)
        query = select(AuditLine.step, AuditLine.reason).where(AuditLine.dossier_ref.in_(refs))
        with runtime.database.read() as connection:
            return [(row.step, row.reason) for row in connection.execute(query)]
