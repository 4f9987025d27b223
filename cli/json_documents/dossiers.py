"""What commands about dossiers and their deliveries print."""

from datetime import datetime

from typing_extensions import TypedDict

from routing.facts import DossierState
from store.deliveries import StoredDelivery
from store.states import DossierStatus


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


class Replayed(TypedDict):
    replayed: int


class Reassigned(TypedDict):
    procedure: int
    number: int
    units: list[str]
