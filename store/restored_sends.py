"""What offices were told after the backup that was restored, of dossiers that it does not know.

Filled by a restore from the log of sent messages, used up as these dossiers are found in TPS again.
The dossier is the keyed hash of the audit log: its number is not known here.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, delete, select

from store.models import RestoredSend
from store.sent_log import SentMessage
from store.upsert import insert_new

_BATCH = 500
_COLUMNS = (
    *(RestoredSend.dossier_ref, RestoredSend.event, RestoredSend.unit, RestoredSend.channel),
    *(RestoredSend.assignment, RestoredSend.at, RestoredSend.key_id),
)


def replace(connection: Connection, sent: Iterable[SentMessage]) -> None:
    """Keep exactly `sent`; one that was sent twice is kept once."""
    connection.execute(delete(RestoredSend))
    rows = [asdict(message) for message in sent]
    for start in range(0, len(rows), _BATCH):
        connection.execute(insert_new(connection, RestoredSend), rows[start : start + _BATCH])


def exist(connection: Connection) -> bool:
    """Whether there are any: only for a while after a restore."""
    return connection.execute(select(RestoredSend.unit).limit(1)).first() is not None


def take(connection: Connection, refs: Collection[str]) -> Mapping[str, Sequence[SentMessage]]:
    """What is kept of the dossiers with these references, in the order of sending; used up."""
    mine = RestoredSend.dossier_ref.in_(refs)
    rows = connection.execute(select(*_COLUMNS).where(mine).order_by(RestoredSend.at)).all()
    if rows:
        connection.execute(delete(RestoredSend).where(mine))
    found: dict[str, list[SentMessage]] = {}
    for row in rows:
        found.setdefault(row.dossier_ref, []).append(SentMessage(**row._asdict()))
    return found


def forget(connection: Connection, *, before: datetime) -> int:
    """Forget what was told before an instant: those dossiers are not there any more; how many."""
    return connection.execute(delete(RestoredSend).where(RestoredSend.at < before)).rowcount
