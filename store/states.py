"""Where a dossier and a delivery stand."""

from enum import StrEnum


class DossierStatus(StrEnum):
    """Where a dossier stands with us."""

    PENDING = "pending"
    ROUTED = "routed"
    QUARANTINED = "quarantined"
    HELD = "held"
    GONE = "gone"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    CANCELLED = "cancelled"
    WAITING = "waiting"
    """Waits for the digest of its unit."""
    CARRIED = "carried"
    """Told by a digest that is on its way."""
