"""What commands about the service as a whole print: status, checks, passes, procedures."""

from datetime import date, datetime

from typing_extensions import TypedDict

from cli.doctor.finding import State
from routing.failures import Cause
from routing.form_fields import FormField
from routing.forms import TpsApi
from routing.incidents import IncidentKind
from service.sent_before_restore import BroughtForward
from service.tps_versions import LimitUse
from store.overview import ProcedureToLookAt


class Incident(TypedDict):
    kind: IncidentKind
    subject: str
    count: int
    since: datetime | None
    opened_at: datetime


class Alive(TypedDict):
    alive: bool
    known: bool
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
    procedures_to_look_at: list[ProcedureToLookAt]
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
    needy: list[ProcedureToLookAt]


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


class Purged(TypedDict):
    dry_run: bool
    ended_before: datetime
    dossiers: int
    deliveries: int


class Resumed(TypedDict):
    resumed: list[int]


class Enabled(TypedDict):
    unit: str
    enabled: int


class WebhookChanged(TypedDict):
    procedure: int
    id: str


class SchemaVersion(TypedDict):
    schema: str


class Written(TypedDict):
    files: list[str]
