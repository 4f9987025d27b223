"""A TPS that answers by v2, in which whatever people and errors say is a marker."""

from dataclasses import dataclass, field

from routing.facts import DossierState
from simulator import Fault, FaultKind, Seen, SimulatedForm, Simulator
from simulator.fields import CONTRACT_TYPE, PERMIT_DEPARTMENT, fields_of
from simulator.form import STUDENT
from tests.privacy.documents import (
    DATABASE,
    FORBIDDEN,
    GOOD,
    HALTS,
    LIST,
    ODD,
    PROCEDURES,
    REDIRECTED,
    REFUSED_MAIL,
    ROUTED,
    THROTTLED,
    UNAUTHORIZED,
    Tps,
)
from tests.privacy.service_environment import TPS_TOKEN

GROUP = "UD 75"
"""Label of the group of Paris, in `units.yaml` and in TPS."""

BROKEN = {
    "state": None,
    "500": Fault(kind=FaultKind.HTML, status=500),
    "404": Fault(kind=FaultKind.HTML, status=404),
    "error": Fault(kind=FaultKind.ERRORS, code="internal_server_error"),
    "truncated": Fault(kind=FaultKind.TRUNCATED),
    "malformed": Fault(kind=FaultKind.MALFORMED),
    "oversized": Fault(kind=FaultKind.OVERSIZED),
}
"""Dossiers that cannot be read, and how their detail fails."""


@dataclass
class TpsV2(Tps):
    """The simulated TPS, its dossiers full of markers, and what fails.

    Attributes:
        simulator: answers.
        ports: for a procedure, the client's end of the connection that first asked for it.
    """

    simulator: Simulator = field(default_factory=lambda: Simulator(token=TPS_TOKEN))

    ports: dict[object, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.simulator.on_request = self._note_port
        self.simulator.open(*(SimulatedForm(each, "75", STUDENT) for each in PROCEDURES))
        self.group = self.simulator.add_group(GOOD, GROUP)
        for procedure in (GOOD, DATABASE, *HALTS):
            for _ in range(3):
                self.file(procedure, "whole")
        for _ in range(5):
            marseille = f"13 - Bouches-du-Rhône {self.markers.letters()}"
            self.file(REFUSED_MAIL, "whole", **{PERMIT_DEPARTMENT: marseille})
        for label in (PERMIT_DEPARTMENT, CONTRACT_TYPE):
            self.file(ODD, "odd", **{label: self.markers.next()})
        for name, fault in BROKEN.items():
            number = self.file(GOOD, name)
            if fault is None:
                self.simulator.change(number, defect="state")
            else:
                self.simulator.fail_detail(number, self.marked(fault))
        self.fail_lists()

    def file(self, procedure: int, name: str, **values: object) -> int:
        """File a dossier in which every answer is a marker, or is followed by one."""
        answers: dict[str, object] = {
            each.label: f"{ROUTED[each.label]} {self.markers.letters()}"
            if each.label in ROUTED
            else self.markers.next()
            for each in fields_of(STUDENT)
        }
        form = SimulatedForm(procedure, "75", STUDENT)
        made = self.simulator.add(
            form, state=DossierState.INITIATED, department="75", values={**answers, **values}
        )
        self.procedure_of[made.number], self.names[made.number] = procedure, name
        return made.number

    def marked(self, fault: Fault) -> Fault:
        """The fault, with markers in its headers and in its errors."""
        headers = {"X-Request-Id": self.markers.plain(), "Set-Cookie": self.markers.plain()}
        return Fault(
            kind=fault.kind,
            status=fault.status,
            code=fault.code,
            message=self.markers.next(),
            headers={**headers, **fault.headers},
            times=fault.times,
        )

    def fail_lists(self) -> None:
        """Procedures of which no list can be had, and those that stop half-way once."""
        location = {"Location": f"/users/{self.markers.plain()}?nom={self.markers.plain()}"}
        faults = {
            UNAUTHORIZED: Fault(kind=FaultKind.HTML, status=401),
            FORBIDDEN: Fault(kind=FaultKind.ERRORS, code="unauthorized"),
            REDIRECTED: Fault(kind=FaultKind.HTML, status=302, headers=location),
            LIST: Fault(kind=FaultKind.MALFORMED),
            **{each: Fault(kind=FaultKind.DRIP, times=1) for each in HALTS},
        }
        for procedure, fault in faults.items():
            self.simulator.fail_procedure(procedure, self.marked(fault))

    def _note_port(self, seen: Seen) -> None:
        self.ports.setdefault(seen.variables.get("procedure"), seen.client_port)

    def throttle(self) -> None:
        """Ask one procedure to slow down, not saying for how long; all of us then do."""
        late = {"Retry-After": self.markers.plain()}
        fault = Fault(kind=FaultKind.TEXT, status=429, headers=late)
        self.simulator.fail_procedure(THROTTLED, self.marked(fault))
