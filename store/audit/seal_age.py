"""How far sealing has come: when it last sealed, and since when lines wait for it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from store.models import AuditLine, AuditSeal


@dataclass(frozen=True, slots=True)
class SealAge:
    """When the newest seal was made, and when the oldest line that none covers was written.

    Each is None where there is no such seal or line.
    """

    sealed_at: datetime | None
    unsealed_since: datetime | None


def seal_age(connection: Connection) -> SealAge:
    """How far sealing has come, by the ends of two indexes."""
    newest = select(AuditSeal.last_id, AuditSeal.sealed_at).order_by(AuditSeal.number.desc())
    last = connection.execute(newest.limit(1)).first()
    waiting = select(AuditLine.at).where(AuditLine.id > (last.last_id if last else 0))
    since = connection.execute(waiting.order_by(AuditLine.id).limit(1)).scalar()
    return SealAge(last.sealed_at if last else None, since)
