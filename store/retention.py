"""Retention: dossiers that came to their end long ago are removed with their deliveries.

What stays is the latest deposit among them, one for each procedure: what TPS still lists
from before it, decided, was known here once. No reference to a dossier is needed for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.sql.elements import ColumnElement

from store.daily_figures import COUNTED_COLUMNS, Counted, counted
from store.deliveries import IN_A_DIGEST
from store.dossiers import DossierStatus
from store.models import Delivery, Dossier, Procedure


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """Which dossiers of a procedure are past their time.

    Attributes:
        procedure: its id.
        horizon: those that an office decided, or that TPS deleted, before this instant.
        dropped: the procedure is configured no more, so that nothing can be learned of its
            dossiers: those that TPS has not listed since `horizon` as well.
    """

    procedure: int
    horizon: datetime
    dropped: bool = False

    def condition(self) -> ColumnElement[bool]:
        """The same as a condition on the table. Nothing that is at work or unsent is past it."""
        same = and_(Delivery.procedure == Dossier.procedure, Delivery.number == Dossier.number)
        untold = or_(Delivery.next_attempt_at.is_not(None), Delivery.state.in_(IN_A_DIGEST))
        unsent = exists().where(same, untold)
        return and_(Dossier.procedure == self.procedure, self._over(), ~unsent)

    def _over(self) -> ColumnElement[bool]:
        ended = and_(
            Dossier.ended_at < self.horizon,
            Dossier.status.in_([DossierStatus.ROUTED.value, DossierStatus.GONE.value]),
            Dossier.next_attempt_at.is_(None),
        )
        if not self.dropped:
            return ended
        idle = or_(Dossier.lease_token.is_(None), Dossier.next_attempt_at < self.horizon)
        return or_(ended, and_(Dossier.last_listed_at < self.horizon, idle))


@dataclass(frozen=True, slots=True)
class Removed:
    """What one batch removed.

    Attributes:
        numbers: of the dossiers.
        deliveries: how many went with them.
        counted: what statistics count of those that had been read.
    """

    numbers: Sequence[int]
    deliveries: int
    counted: Sequence[Counted] = ()


def count(connection: Connection, overdue: Overdue) -> Removed:
    """What there is to remove; nothing is."""
    due = select(Dossier.number).where(overdue.condition())
    numbers = connection.execute(due).scalars().all()
    of_procedure = Delivery.procedure == overdue.procedure
    query = select(func.count()).select_from(Delivery).where(of_procedure, Delivery.number.in_(due))
    return Removed(numbers, connection.execute(query).scalar_one())


def remove(connection: Connection, overdue: Overdue, *, limit: int) -> Removed:
    """Remove up to `limit` dossiers that are past their time, those that ended first first."""
    # Locked first, as polling does when it stores a page: two that wait for each other fail.
    connection.execute(
        select(Procedure.number).where(Procedure.number == overdue.procedure).with_for_update()
    )
    due = (
        select(Dossier.number, *COUNTED_COLUMNS)
        .where(overdue.condition())
        .order_by(Dossier.ended_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(due).all()
    if not rows:
        return Removed((), 0)
    keys = [(overdue.procedure, row.number) for row in rows]
    gone = connection.execute(
        delete(Delivery).where(tuple_(Delivery.procedure, Delivery.number).in_(keys))
    )
    connection.execute(delete(Dossier).where(tuple_(Dossier.procedure, Dossier.number).in_(keys)))
    _remember(connection, overdue.procedure, [row.filed_at for row in rows if row.filed_at])
    return Removed([row.number for row in rows], gone.rowcount, [*filter(None, map(counted, rows))])


def _remember(connection: Connection, procedure: int, deposits: Sequence[datetime]) -> None:
    """Keep the latest deposit of all that was ever removed."""
    if not deposits:
        return
    latest = max(deposits)
    earlier = or_(Procedure.purged_before.is_(None), Procedure.purged_before < latest)
    connection.execute(
        update(Procedure).where(Procedure.number == procedure, earlier).values(purged_before=latest)
    )
