"""Incidents: opened once, closed once, and each told of twice at most in each way."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, not_, or_, select, update

from routing.incidents import IncidentKind, PresentIncident
from store.base import table_of
from store.leases import Lease
from store.models import Incident
from store.upsert import insert_new


class Way(StrEnum):
    """How those who run the service are told; also part of the names of the columns."""

    MAIL = "told"
    POST = "posted"


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
    opening_posted_at: datetime | None
    closing_posted_at: datetime | None

    def untold(self, way: Way) -> Iterator[bool]:
        """What was not told in this way: False for its beginning, True for its end."""
        if getattr(self, f"opening_{way}_at") is None:
            yield False
        if self.closed_at is not None and getattr(self, f"closing_{way}_at") is None:
            yield True


_COLUMNS = (
    *(Incident.id, Incident.kind, Incident.subject, Incident.count, Incident.since),
    *(Incident.opened_at, Incident.closed_at, Incident.opening_told_at),
    *(Incident.closing_told_at, Incident.opening_posted_at, Incident.closing_posted_at),
)


# A later version, which works beside this one or was taken back, may have left others.
_KNOWN = Incident.kind.in_([kind.value for kind in IncidentKind])


def lasting(connection: Connection) -> list[StoredIncident]:
    """Incidents that are not over, the oldest first."""
    query = select(*_COLUMNS).where(Incident.closed_at.is_(None), _KNOWN).order_by(Incident.id)
    return [_stored(row) for row in connection.execute(query)]


def note(connection: Connection, present: PresentIncident, now: datetime) -> bool:
    """Open an incident, or bring the one that lasts up to date; True when it is new."""
    values = {"count": present.count, "since": present.since}
    key = {"kind": present.kind.value, "subject": present.subject}
    opened = connection.execute(
        insert_new(connection, Incident)
        .values(**key, **values, opened_at=now)
        .returning(Incident.id)
    ).first()
    if opened is None:
        connection.execute(
            update(Incident)
            .where(
                Incident.kind == present.kind.value,
                Incident.subject == present.subject,
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


def claim_untold(
    connection: Connection, ways: Collection[Way], lease: Lease, now: datetime
) -> list[StoredIncident]:
    """Claim those that are to be told in one of `ways` and are not being told."""
    news = or_(Incident.closed_at.is_(None), Incident.closed_at > now - OLD_NEWS)
    free = or_(Incident.lease_until.is_(None), Incident.lease_until <= now)
    taken = connection.execute(
        update(Incident)
        .where(or_(*map(_is_untold, ways)), news, free, _KNOWN)
        .values(lease_token=lease.token, lease_until=lease.until)
        .returning(*_COLUMNS)
    )
    return sorted((_stored(row) for row in taken), key=lambda incident: incident.id)


def known_to_nobody(connection: Connection) -> bool:
    """Whether something is wrong now of which nobody was told in any way."""
    told = or_(Incident.opening_told_at.is_not(None), Incident.opening_posted_at.is_not(None))
    untold = (Incident.closed_at.is_(None), not_(told), _KNOWN)
    query = select(Incident.id).where(*untold).limit(1)
    return connection.execute(query).first() is not None


def told(
    connection: Connection,
    incident: StoredIncident,
    way: Way,
    lease: Lease,
    now: datetime,
    *,
    over: bool,
) -> bool:
    """Note that its beginning, or its end, was told; False when the lease was lost."""
    written = connection.execute(
        update(Incident)
        .where(Incident.id == incident.id, Incident.lease_token == lease.token)
        .values({f"{'closing' if over else 'opening'}_{way}_at": now})
    )
    return written.rowcount == 1


def _is_untold(way: Way) -> ColumnElement[bool]:
    opening: ColumnElement[Any] = table_of(Incident).c[f"opening_{way}_at"]
    closing: ColumnElement[Any] = table_of(Incident).c[f"closing_{way}_at"]
    return or_(opening.is_(None), and_(Incident.closed_at.is_not(None), closing.is_(None)))


def give_back(connection: Connection, lease: Lease) -> None:
    """Let go of what `lease` holds."""
    connection.execute(
        update(Incident)
        .where(Incident.lease_token == lease.token)
        .values(lease_token=None, lease_until=None)
    )


def listing(connection: Connection, *, limit: int | None = None) -> Sequence[StoredIncident]:
    """Incidents, the latest first."""
    query = select(*_COLUMNS).where(_KNOWN).order_by(Incident.id.desc()).limit(limit)
    return [_stored(row) for row in connection.execute(query)]


def _stored(row: Any) -> StoredIncident:  # noqa: ANN401
    values = row._asdict()
    return StoredIncident(**{**values, "kind": IncidentKind(values["kind"])})
