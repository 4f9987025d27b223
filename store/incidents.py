"""Incidents: opened once, closed once, and each told of twice at most."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from routing.incidents import IncidentKind, Trouble
from store.leases import Lease
from store.models import Incident
from store.upsert import insert_new

OLD_NEWS = timedelta(days=1)
"""An incident that was over for so long before it could be told of is not told of any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIncident:
    """An incident as it is stored; `closed_at` is None while it lasts."""

    id: int
    kind: IncidentKind
    subject: str
    count: int
    since: datetime | None
    opened_at: datetime
    closed_at: datetime | None
    opening_told_at: datetime | None
    closing_told_at: datetime | None

    @property
    def opening_untold(self) -> bool:
        """Whether nobody was told that it began."""
        return self.opening_told_at is None

    @property
    def closing_untold(self) -> bool:
        """Whether it is over and nobody was told."""
        return self.closed_at is not None and self.closing_told_at is None


_COLUMNS = (
    *(Incident.id, Incident.kind, Incident.subject, Incident.count, Incident.since),
    *(Incident.opened_at, Incident.closed_at, Incident.opening_told_at),
    Incident.closing_told_at,
)


def lasting(connection: Connection) -> list[StoredIncident]:
    """Incidents that are not over, the oldest first."""
    query = select(*_COLUMNS).where(Incident.closed_at.is_(None)).order_by(Incident.id)
    return [_stored(row) for row in connection.execute(query)]


def note(connection: Connection, trouble: Trouble, now: datetime) -> bool:
    """Open an incident, or bring the one that lasts up to date; True when it is new."""
    values = {"count": trouble.count, "since": trouble.since}
    key = {"kind": trouble.kind.value, "subject": trouble.subject}
    opened = connection.execute(
        insert_new(connection, Incident)
        .values(**key, **values, opened_at=now)
        .returning(Incident.id)
    ).first()
    if opened is None:
        connection.execute(
            update(Incident)
            .where(
                Incident.kind == trouble.kind.value,
                Incident.subject == trouble.subject,
                Incident.closed_at.is_(None),
            )
            .values(**values)
        )
    return opened is not None


def close(connection: Connection, incident: StoredIncident, now: datetime) -> bool:
    """Close an incident; False when it was closed already."""
    closed = connection.execute(
        update(Incident)
        .where(Incident.id == incident.id, Incident.closed_at.is_(None))
        .values(closed_at=now)
    )
    return closed.rowcount == 1


def claim_untold(connection: Connection, lease: Lease, now: datetime) -> list[StoredIncident]:
    """Take those of which somebody has to be told, unless somebody else is telling."""
    over = Incident.closed_at.is_not(None)
    untold = or_(Incident.opening_told_at.is_(None), and_(over, Incident.closing_told_at.is_(None)))
    news = or_(Incident.closed_at.is_(None), Incident.closed_at > now - OLD_NEWS)
    free = or_(Incident.lease_until.is_(None), Incident.lease_until <= now)
    taken = connection.execute(
        update(Incident)
        .where(untold, news, free)
        .values(lease_token=lease.token, lease_until=lease.until)
        .returning(*_COLUMNS)
    )
    return sorted((_stored(row) for row in taken), key=lambda incident: incident.id)


def told(
    connection: Connection, incident: StoredIncident, lease: Lease, now: datetime, *, over: bool
) -> bool:
    """Note that its beginning, or its end, was told; False when the lease was lost."""
    values = {"closing_told_at": now} if over else {"opening_told_at": now}
    written = connection.execute(
        update(Incident)
        .where(Incident.id == incident.id, Incident.lease_token == lease.token)
        .values(values)
    )
    return written.rowcount == 1


def give_back(connection: Connection, lease: Lease) -> None:
    """Let go of whatever `lease` holds."""
    connection.execute(
        update(Incident)
        .where(Incident.lease_token == lease.token)
        .values(lease_token=None, lease_until=None)
    )


def listing(connection: Connection, *, limit: int | None = None) -> Sequence[StoredIncident]:
    """Incidents, the latest first."""
    query = select(*_COLUMNS).order_by(Incident.id.desc()).limit(limit)
    return [_stored(row) for row in connection.execute(query)]


def _stored(row: Any) -> StoredIncident:  # noqa: ANN401
    values = row._asdict()
    return StoredIncident(**{**values, "kind": IncidentKind(values["kind"])})
