"""Dossiers that an office has and has not decided."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from routing.facts import DossierState
from store.dossiers import DossierStatus
from store.models import Dossier


@dataclass(frozen=True, slots=True)
class WaitingDossier:
    """A dossier that waits for a decision: its units, and when it was filed (UTC)."""

    procedure: int
    number: int
    units: tuple[str, ...]
    filed_at: datetime


def read_waiting(connection: Connection, *, filed_before: datetime) -> list[WaitingDossier]:
    """Those filed before an instant that TPS still shows as waiting, oldest first.

    What is paused, set aside or gone is not among them: nobody knows how it stands.
    """
    still_open = [state.value for state in DossierState if not state.ended]
    query = (
        select(Dossier.procedure, Dossier.number, Dossier.units, Dossier.filed_at)
        .where(
            Dossier.status == DossierStatus.ROUTED.value,
            Dossier.state.in_(still_open),
            Dossier.filed_at < filed_before,
            Dossier.assignment > 0,
        )
        .order_by(Dossier.filed_at)
    )
    return [
        WaitingDossier(procedure, number, units, filed_at)
        for procedure, number, units, filed_at in connection.execute(query)
        if filed_at is not None
    ]
