"""What a person has to look at, counted by cause, and the first few of each: codes alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from routing.facts import DossierState
from store.deliveries import DeliveryState
from store.dossiers import DossierStatus
from store.models import Delivery, Dossier


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Dossiers or deliveries that are where they are for the same cause.

    Attributes:
        causes: codes of it.
        count: how many there are.
        since: since when the first of them is there.
    """

    causes: tuple[str, ...]
    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One of them."""

    procedure: int
    number: int
    causes: tuple[str, ...]
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToLookAt:
    """Everything of one kind by cause, and the first few."""

    groups: Sequence[Group]
    first: Sequence[Item]

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(group.count for group in self.groups)


_UNROUTED = and_(
    Dossier.unrouted,
    Dossier.status == DossierStatus.ROUTED.value,
    Dossier.state.in_([DossierState.INITIATED.value, DossierState.RECEIVED.value]),
)
_ASIDE = Dossier.aside_since.is_not(None)
_DEAD = Delivery.state == DeliveryState.DEAD.value


def unrouted(connection: Connection, *, limit: int) -> ToLookAt:
    """Undecided dossiers that went to the fallback unit, by the reasons of the decision."""
    count = func.count()
    groups = select(Dossier.reasons, count, func.min(Dossier.decided_at)).where(_UNROUTED)
    rows = select(Dossier.procedure, Dossier.number, Dossier.reasons, Dossier.decided_at)
    return ToLookAt(
        groups=[
            Group(causes=reasons, count=found, since=since)
            for reasons, found, since in connection.execute(
                groups.group_by(Dossier.reasons).order_by(count.desc())
            )
        ],
        first=[
            Item(procedure=procedure, number=number, causes=reasons, since=since)
            for procedure, number, reasons, since in connection.execute(
                rows.where(_UNROUTED).order_by(Dossier.decided_at).limit(limit)
            )
        ],
    )


def aside(connection: Connection, *, limit: int) -> ToLookAt:
    """Dossiers that cannot be read, or are held with their procedure, by status and cause."""
    count = func.count()
    groups = select(Dossier.status, Dossier.reason, count, func.min(Dossier.aside_since))
    rows = select(
        Dossier.procedure, Dossier.number, Dossier.status, Dossier.reason, Dossier.aside_since
    )
    return ToLookAt(
        groups=[
            Group(causes=(status, reason or ""), count=found, since=since)
            for status, reason, found, since in connection.execute(
                groups.where(_ASIDE).group_by(Dossier.status, Dossier.reason).order_by(count.desc())
            )
        ],
        first=[
            Item(procedure=procedure, number=number, causes=(status, reason or ""), since=since)
            for procedure, number, status, reason, since in connection.execute(
                rows.where(_ASIDE).order_by(Dossier.aside_since).limit(limit)
            )
        ],
    )


def dead(connection: Connection, *, limit: int) -> ToLookAt:
    """Dead deliveries, by channel, unit and cause."""
    count = func.count()
    causes = (Delivery.channel, Delivery.unit, Delivery.reason)
    groups = select(*causes, count, func.min(Delivery.finished_at)).where(_DEAD)
    rows = select(Delivery.procedure, Delivery.number, *causes, Delivery.finished_at).where(_DEAD)
    return ToLookAt(
        groups=[
            Group(causes=(channel, unit, reason or ""), count=found, since=since)
            for channel, unit, reason, found, since in connection.execute(
                groups.group_by(*causes).order_by(count.desc())
            )
        ],
        first=[
            Item(procedure=procedure, number=number, causes=(channel, unit, why or ""), since=since)
            for procedure, number, channel, unit, why, since in connection.execute(
                rows.order_by(Delivery.id).limit(limit)
            )
        ],
    )
