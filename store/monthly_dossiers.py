"""The dossiers that a monthly report looks at."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from routing.facts import DossierState
from store.models import Dossier

READ_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class MonthlyDossier:
    """What a report needs of a dossier.

    Attributes:
        units: who has it, now.
        ended_at: when an office decided it, None while none has.
        permit_type: its code, None when it is unknown.
    """

    units: tuple[str, ...]
    state: DossierState
    filed_at: datetime
    ended_at: datetime | None
    department: str | None
    permit_type: str | None


def read_dossiers(
    connection: Connection, start: datetime, end: datetime
) -> Iterator[MonthlyDossier]:
    """Dossiers that were filed before `end`, and not decided before `start`."""
    columns = (
        *(Dossier.units, Dossier.state, Dossier.filed_at, Dossier.ended_at),
        *(Dossier.department, Dossier.permit_type),
    )
    query = select(*columns).where(
        Dossier.facts_hash.is_not(None),
        Dossier.filed_at < end,
        or_(Dossier.ended_at.is_(None), Dossier.ended_at >= start),
    )
    for row in connection.execution_options(yield_per=READ_AT_ONCE).execute(query):
        state = DossierState(row.state)
        ended_at = row.ended_at if state.ended else None
        yield MonthlyDossier(
            row.units, state, row.filed_at, ended_at, row.department, row.permit_type
        )
