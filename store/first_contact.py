"""The first contact with forms that hold dossiers already: how many are told, or recorded only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, func, select

from store.dossiers import DossierStatus
from store.models import Delivery, Dossier, Procedure
from store.procedures import ProcedureStatus


@dataclass(frozen=True, slots=True)
class FirstContact:
    """What became of the dossiers that were first seen since some instant.

    Attributes:
        told: routed, with a message to their office.
        recorded: routed, and nobody is told.
        pending: not read yet.
        unlisted: active procedures whose list was never read to its end.
    """

    told: int
    recorded: int
    pending: int
    unlisted: int

    @property
    def is_over(self) -> bool:
        """Whether everything that was there has been listed and read."""
        return not self.pending and not self.unlisted


def first_contact(connection: Connection, since: datetime) -> FirstContact:
    """What became of the dossiers first seen at `since` or later."""
    new = Dossier.seen_at >= since
    queued = exists().where(
        Delivery.procedure == Dossier.procedure, Delivery.number == Dossier.number
    )
    routed = select(func.count()).where(new, Dossier.status == DossierStatus.ROUTED.value)
    pending = select(func.count()).where(new, Dossier.status == DossierStatus.PENDING.value)
    unlisted = select(func.count()).where(
        Procedure.status == ProcedureStatus.ACTIVE.value, Procedure.scanned_at.is_(None)
    )
    return FirstContact(
        told=connection.execute(routed.where(queued)).scalar_one(),
        recorded=connection.execute(routed.where(~queued)).scalar_one(),
        pending=connection.execute(pending).scalar_one(),
        unlisted=connection.execute(unlisted).scalar_one(),
    )
