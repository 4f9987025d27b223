"""Incidents: the kinds of what a person must know of."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class IncidentKind(StrEnum):
    """What is wrong. Ages, not single errors: those are retried and heal."""

    UNREAD = "unread-dossiers"
    UNSENT = "unsent-deliveries"
    POLL_LAG = "poll-lag"
    DEAD_LETTERS = "dead-letters"
    DRIFT = "schema-drift"
    STOPPED = "procedures-stopped"
    UNROUTED = "unrouted-dossiers"
    QUARANTINED = "quarantined-dossiers"
    RULES_REFUSED = "rules-refused"
    CHANNEL_DISABLED = "channel-disabled"
    WEBHOOK_OFF = "webhook-off"
    CERTIFICATE = "certificate-expires"
    UNSERVED = "queue-unserved"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentIncident:
    """An incident that there is now.

    Attributes:
        kind: of the incident that it is.
        subject: tells incidents of one kind apart: a procedure, a queue, or the code of a cause.
        count: how many dossiers, deliveries or procedures it concerns.
        since: when the oldest of them began to wait.
    """

    kind: IncidentKind
    subject: str = ""
    count: int
    since: datetime | None = None
