"""Edited rules that were refused: an incident for as long as the wrong files stand there."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from store.models import Incident
from store.upsert import insert_new

KIND = "rules-refused"


def refuse(connection: Connection, fingerprint: str, *, mistakes: int, at: datetime) -> bool:
    """Note that the files of that fingerprint were refused; False when that was noted before."""
    _close(connection, at, but=fingerprint)
    row = {
        "kind": KIND,
        "subject": fingerprint,
        "count": mistakes,
        "since": at,
        "opened_at": at,
    }
    noted = insert_new(connection, Incident).values(row).returning(Incident.id)
    return connection.execute(noted).first() is not None


def accept(connection: Connection, at: datetime) -> None:
    """The files are right again."""
    _close(connection, at, but="")


def refused(connection: Connection) -> str | None:
    """The fingerprint of the files that are refused at present, None when they are right."""
    open_now = select(Incident.subject).where(Incident.kind == KIND, Incident.closed_at.is_(None))
    return connection.execute(open_now).scalar()


def _close(connection: Connection, at: datetime, *, but: str) -> None:
    connection.execute(
        update(Incident)
        .where(Incident.kind == KIND, Incident.closed_at.is_(None), Incident.subject != but)
        .values(closed_at=at)
    )
