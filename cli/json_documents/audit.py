"""What the commands of `wif audit`, and of its keys, print."""

from datetime import datetime
from typing import Any, Literal

from typing_extensions import TypedDict

from store.audit.check import Tail, ViolationKind


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


class Sealed(TypedDict):
    lines: int
    seals: int
    waiting: bool


class AuditKeyMade(TypedDict):
    key: str
