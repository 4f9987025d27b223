"""What the commands of `wif rules` print."""

from datetime import date, datetime

from typing_extensions import TypedDict

from config.diagnostics import Diagnostic
from config.differences import Difference
from routing.facts import DossierState, Filer, Reason
from routing.failures import Cause
from routing.units import Notify


class RulesChecked(TypedDict):
    ruleset: str | None
    mistakes: list[Diagnostic]
    warnings: list[Diagnostic]


class Forms(TypedDict):
    unknown: list[int]
    failure: Cause | None


_Change = TypedDict(
    "_Change",
    {
        "from": list[str],
        "to": list[str],
        "rule_before": str | None,
        "rule_after": str | None,
        "unrouted_before": bool,
        "unrouted_after": bool,
        "reasons": list[Reason],
        "inform_before": list[str],
        "inform_after": list[str],
        "notify_before": Notify | None,
        "notify_after": Notify | None,
    },
)


class MovedDossiers(_Change):
    undecided: int
    decided: int
    dossiers: list[str]


class MovedCases(_Change):
    cells: int
    departments: list[str | None]
    permit_types: list[str | None]
    filers: list[Filer]
    procedures: list[int]
    from_day: date | None


class Simulation(TypedDict):
    before: str
    after: str
    on: date
    moves: bool
    differences: list[Difference]
    forms: Forms | None
    dossiers: list[MovedDossiers]
    cases: list[MovedCases]


class Rerouted(TypedDict):
    examined: int
    moved: int


class Published(TypedDict):
    ruleset: str
    activated: bool
    simulation: Simulation
    rerouted: Rerouted | None


class Activation(TypedDict):
    hash: str
    at: datetime
    action: str
    note: str
    actor: str | None
    in_force: bool


class CoverageCase(TypedDict):
    procedures: list[int]
    states: list[DossierState]
    filed_from: date | None
    filed_before: date | None


class _Answer(TypedDict):
    units: list[str]
    rule: str | None
    routed: bool
    reasons: list[Reason]
    inform: list[str]
    notify: Notify | None


class CoverageAnswer(_Answer, total=False):
    cases: list[CoverageCase]


class CoverageCell(TypedDict):
    department: str | None
    department_name: str | None
    permit_type: str | None
    filer: Filer
    routed: bool
    brought_in: bool
    answers: list[CoverageAnswer]


class Coverage(TypedDict):
    ruleset: str
    on: date
    cells: list[CoverageCell]


class Given(TypedDict, total=False):
    permit_type: str | None
    department: str | None
    procedure: int | None
    filer: Filer
    state: DossierState
    filed_on: date
    decided_on: date


class TriedRule(TypedDict):
    rule: str
    matched: bool
    why_not: list[str]


class CompetentUnit(TypedDict):
    code: str
    name: str
    mailbox: str


class PreviousOutcome(_Answer):
    ruleset: str


class Explanation(TypedDict):
    ruleset: str
    facts: Given
    rules: list[TriedRule]
    units: list[CompetentUnit]
    outcome: _Answer
    pinned: str | None
    previous: PreviousOutcome | None
