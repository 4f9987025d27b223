"""The audit log: one line for every step, in codes, written in the transaction of the step.

A line refers to a dossier by a keyed hash; without the key it cannot be tied to one.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from store.bulk import insert_rows
from store.models import AuditLine


class Step(StrEnum):
    """The steps that leave a line."""

    SEEN = "seen"
    CHANGED = "changed"
    CLASSIFIED = "classified"
    ROUTED = "routed"
    UNROUTED = "unrouted"
    QUARANTINED = "quarantined"
    HELD = "held"
    GONE = "gone"
    QUEUED = "queued"
    SENT = "sent"
    RETRIED = "retried"
    THROTTLED = "throttled"
    DEAD = "dead"
    REPLAYED = "replayed"
    CANCELLED = "cancelled"
    REASSIGNED = "reassigned"
    PINNED = "pinned"
    UNPINNED = "unpinned"
    PURGED = "purged"
    PROCEDURE_STOPPED = "procedure-stopped"
    PROCEDURE_PAUSED = "procedure-paused"
    PROCEDURE_RESUMED = "procedure-resumed"
    RULES_PUBLISHED = "rules-published"
    RULES_REFUSED = "rules-refused"
    RESTORED = "restored"
    CHANNEL_DISABLED = "channel-disabled"
    CHANNEL_ENABLED = "channel-enabled"
    INCIDENT_OPENED = "incident-opened"
    INCIDENT_CLOSED = "incident-closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What one step leaves. Codes and numbers only; `duration_ms` in milliseconds."""

    step: Step
    procedure: int | None = None
    number: int | None = None
    event: str | None = None
    channel: str | None = None
    unit: str | None = None
    rule: str | None = None
    ruleset: str | None = None
    reason: str | None = None
    attempt: int | None = None
    duration_ms: int | None = None
    actor: str | None = None


class AuditKey:
    """A secret that turns a dossier into its reference in the log. Its repr shows only its id."""

    __slots__ = ("_secret", "id")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.id = hashlib.sha256(b"wif-audit-key-id" + secret).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"AuditKey({self.id})"

    def ref(self, procedure: int, number: int) -> str:
        """HMAC-SHA256 (hex) of a dossier."""
        return self.mark(f"{procedure}/{number}")

    def mark(self, text: str) -> str:
        """HMAC-SHA256 (hex) of a text."""
        return hmac.digest(self._secret, text.encode(), "sha256").hex()


class AuditLog:
    """Writes lines under the current key and finds dossiers under any known one."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self.keys = tuple(AuditKey(secret) for secret in keys)

    def append(self, connection: Connection, at: datetime, lines: Iterable[AuditEntry]) -> None:
        """Write `lines`, stamped `at`, in the transaction of `connection`."""
        insert_rows(connection, AuditLine, self.rows(at, lines))

    def rows(self, at: datetime, lines: Iterable[AuditEntry]) -> list[dict[str, object]]:
        """`lines`, stamped `at`, by the names of their columns."""
        return [self._row(at, line) for line in lines]

    def refs(self, procedure: int, number: int) -> tuple[str, ...]:
        """The references of a dossier under every known key, the current one first."""
        return tuple(key.ref(procedure, number) for key in self.keys)

    def _row(self, at: datetime, line: AuditEntry) -> dict[str, object]:
        ref, key_id = self._reference(line)
        return {
            "at": at,
            "step": line.step.value,
            "procedure": line.procedure,
            "dossier_ref": ref,
            "key_id": key_id,
            "event": line.event,
            "channel": line.channel,
            "unit": line.unit,
            "rule": line.rule,
            "ruleset": line.ruleset,
            "reason": line.reason,
            "attempt": line.attempt,
            "duration_ms": line.duration_ms,
            "actor": line.actor,
        }

    def _reference(self, line: AuditEntry) -> tuple[str | None, str | None]:
        if line.procedure is None or line.number is None:
            return None, None
        key = self.keys[0]
        return key.ref(line.procedure, line.number), key.id
