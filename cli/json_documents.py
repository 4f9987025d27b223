"""What each command prints with `--json`: the one place that the JSON Schemas come from.

`docs/schemas/wif-*.json` is written from here by `make reference`. Keys are English in every
language; instants are ISO 8601 with their offset, ages are in seconds unless their name says days.
A later version may add keys, and changes or removes none without a word in the changelog.
"""

import json
from datetime import date, datetime
from typing import Any, Literal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from cli.doctor import State
from config.diagnostics import Diagnostic
from config.differences import Difference
from routing.facts import DossierState, Filer, Reason
from routing.failures import Cause
from routing.form_fields import FormField
from routing.forms import TpsApi
from routing.incidents import IncidentKind
from routing.units import Notify
from service.backup import Manifest
from service.channels import ChannelStatus
from service.secret_age import SecretAge
from service.sent_before_restore import BroughtForward
from service.tps_versions import LimitUse
from store.audit.check import Tail, ViolationKind
from store.deliveries import StoredDelivery
from store.overview import NeedyProcedure
from store.partitions import Partitioned
from store.states import DossierStatus


class Incident(TypedDict):
    kind: IncidentKind
    subject: str
    count: int
    since: datetime | None
    opened_at: datetime


class Alive(TypedDict):
    alive: bool
    since: datetime
    seen_at: datetime


class RulesInForce(TypedDict):
    active: str | None
    configured: str | None


class Status(TypedDict):
    dossiers: dict[str, int]
    deliveries: dict[str, int]
    pending: int
    quarantined: int
    unrouted: int
    dead: int
    dead_reasons: dict[str, int]
    oldest_pending_seconds: int | None
    oldest_unsent_seconds: int | None
    poll_lag_seconds: int | None
    procedures: dict[str, int]
    procedures_never_polled: int
    procedures_to_look_at: list[NeedyProcedure]
    rules: RulesInForce
    incidents: list[Incident]
    alive: dict[str, Alive]
    tps_limit: dict[TpsApi, LimitUse]
    dossiers_old: bool


class DoctorFinding(TypedDict):
    check: str
    state: State
    advice: str
    well: bool


class Pass(TypedDict):
    procedures: int
    polls_failed: int
    rows_malformed: int
    new: int
    changed: int
    routed: int
    unrouted: int
    recorded_only: int
    quarantined: int
    held: int
    gone: int
    not_read: int
    sent: int
    retried: int
    dead: int
    needy: list[NeedyProcedure]


class Statistics(TypedDict):
    published: list[date]
    months: list[str]


class Restored(TypedDict):
    sent_log: BroughtForward
    damaged_lines: int


class Procedure(TypedDict):
    number: int
    status: str | None
    reason: str | None
    failures: int | None
    polled_at: datetime | None
    scanned_at: datetime | None
    next_poll_at: datetime | None


class ProcedureShown(Procedure):
    api: TpsApi
    fields: list[FormField] | None


class Delivery(TypedDict):
    id: int
    procedure: int
    number: int
    event: str
    unit: str
    channel: str
    assignment: int
    counterpart: str | None
    state: str
    reason: str | None
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None
    permit_type: str | None
    department: str | None
    age_days: int


class _DossierColumns(TypedDict):
    procedure: int
    number: int
    status: DossierStatus
    state: DossierState | None
    permit_type: str | None
    department: str | None
    department_source: str | None
    filed_at: datetime | None
    unit: str | None
    rule: str | None
    ruleset: str | None
    reason: str | None
    reasons: list[str]
    unrouted: bool
    pinned: str | None
    pinned_reason: str | None
    attempts: int
    seen_at: datetime


class Dossier(_DossierColumns):
    age_days: int


class DossierShown(_DossierColumns):
    pinned_reason_label: str | None
    deliveries: list[StoredDelivery]


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


class TrialSent(TypedDict):
    unit: str
    channel: str
    accepted: bool
    cause: Cause | None
    status: int | None
    duration_ms: int


class Webhook(TypedDict):
    procedure: int
    id: str
    enabled: bool
    url: str
    heard_at: datetime | None


class Seal(TypedDict):
    type: Literal["seal"]
    format: int
    number: int
    first_id: int
    last_id: int
    size: int
    ids: str
    root: str
    previous: str
    sealed_at: str
    public_key: str
    signature: str


class Violation(TypedDict):
    problem: ViolationKind
    seal: int | None
    lines: str


class Timestamps(TypedDict):
    valid: int
    first_seal: int | None
    since: datetime | None


class Verified(TypedDict):
    intact: bool
    lines: int
    seals: int
    findings: list[Violation]
    stopped: bool
    head: Seal | None
    unsealed: Tail
    withheld: int
    withheld_inside: int
    signed: bool | None
    keys: list[str]
    keys_trusted: bool
    against: str | None
    anchored: bool
    timestamps: Timestamps | None


class AuditLine(TypedDict):
    id: int
    at: datetime
    step: str
    procedure: int | None
    dossier_ref: str | None
    key_id: str | None
    event: str | None
    channel: str | None
    unit: str | None
    rule: str | None
    ruleset: str | None
    reason: str | None
    attempt: int | None
    duration_ms: int | None
    actor: str | None
    sealed: bool


class PathStep(TypedDict):
    side: Literal["left", "right"]
    hash: str


class Proof(TypedDict):
    title: Literal["wif-audit-proof"]
    format: int
    columns: list[str]
    line: dict[str, Any]
    index: int
    path: list[PathStep]
    seal: Seal


class Actor(TypedDict):
    actor: str
    account: str | None
    lines: int
    last: datetime


class Purged(TypedDict):
    dry_run: bool
    ended_before: datetime
    dossiers: int
    deliveries: int


class Sealed(TypedDict):
    lines: int
    seals: int
    waiting: bool


class Replayed(TypedDict):
    replayed: int


class Reassigned(TypedDict):
    procedure: int
    number: int
    units: list[str]


class Resumed(TypedDict):
    resumed: list[int]


class Enabled(TypedDict):
    unit: str
    enabled: int


class WebhookChanged(TypedDict):
    procedure: int
    id: str


class AuditKeyMade(TypedDict):
    key: str


class SchemaVersion(TypedDict):
    schema: str


class Written(TypedDict):
    files: list[str]


DOCUMENTS: dict[str, Any] = {
    "audit actors": list[Actor],
    "audit prove": Proof,
    "audit seal": Sealed,
    "audit trace": list[AuditLine],
    "audit verify": Verified,
    "backup": Manifest,
    "channels enable": Enabled,
    "channels list": list[ChannelStatus],
    "channels test": list[TrialSent],
    "db partition": Partitioned,
    "db upgrade": SchemaVersion,
    "deliveries list": list[Delivery],
    "deliveries replay": Replayed,
    "doctor": list[DoctorFinding],
    "dossiers list": list[Dossier],
    "dossiers reassign": Reassigned,
    "dossiers show": DossierShown,
    "init": Written,
    "keys list": list[SecretAge],
    "keys rotate-audit": AuditKeyMade,
    "procedures list": list[Procedure],
    "procedures resume": Resumed,
    "procedures show": ProcedureShown,
    "purge": Purged,
    "report": Written,
    "restore": Restored,
    "rules check": RulesChecked,
    "rules coverage": Coverage,
    "rules diff": list[Difference],
    "rules explain": Explanation,
    "rules history": list[Activation],
    "rules publish": Published,
    "rules rollback": Published,
    "rules simulate": Simulation,
    "run-once": Pass,
    "stats": Statistics,
    "status": Status,
    "webhooks create": WebhookChanged,
    "webhooks enable": WebhookChanged,
    "webhooks list": list[Webhook],
    "webhooks renew": WebhookChanged,
}
"""What each command prints; `audit prove` prints it without being asked."""


def schema_of(command: str) -> dict[str, Any]:
    """The JSON Schema of what a command prints, such as `dossiers list`."""
    content = TypeAdapter(DOCUMENTS[command]).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"wif {command}" + ("" if command == "audit prove" else " --json"),
        **_plain(content),
    }


def schemas() -> dict[str, str]:
    """The schema of each command, as text, by the name of its file."""
    return {
        f"wif-{command.replace(' ', '-')}.json": json.dumps(
            schema_of(command), ensure_ascii=False, indent=2
        )
        + "\n"
        for command in DOCUMENTS
    }


def _plain(value: Any) -> Any:  # noqa: ANN401
    """`value` without the titles made from names, and without docstrings and defaults.

    Docstrings are for those who read the code; what has a default is printed all the same.
    """
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    dropped = {"title", "description", "default"}
    return {
        key: {name: _plain(each) for name, each in item.items()}
        if key == "properties"
        else _plain(item)
        for key, item in value.items()
        if key == "properties" or not (key in dropped and not isinstance(item, dict))
    }
