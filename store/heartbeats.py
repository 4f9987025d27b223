"""Which parts of the service were seen alive, and when: beat, and a worker on each queue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, select, update

from store.models import Heartbeat
from store.upsert import insert_new

GAP = timedelta(minutes=3)
"""A part that was not seen for so long is dead; when it is seen again, its life begins anew."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """A part of the service, when it was last seen and since when without a gap."""

    name: str
    since: datetime
    seen_at: datetime

    def is_alive(self, now: datetime) -> bool:
        """Whether it was seen a moment ago."""
        return now - self.seen_at < GAP


def note(connection: Connection, names: Iterable[str], now: datetime) -> None:
    """Note that the parts `names` live now."""
    rows = [{"part": name, "since": now, "seen_at": now} for name in sorted(set(names))]
    if not rows:
        return
    connection.execute(insert_new(connection, Heartbeat), rows)
    gone = Heartbeat.seen_at <= now - GAP
    connection.execute(
        update(Heartbeat)
        .where(Heartbeat.part.in_([row["part"] for row in rows]))
        .values(seen_at=now, since=case((gone, now), else_=Heartbeat.since))
    )


def listing(connection: Connection) -> Sequence[Pulse]:
    """Every part that was ever seen."""
    query = select(Heartbeat.part, Heartbeat.since, Heartbeat.seen_at).order_by(Heartbeat.part)
    return [Pulse(*row) for row in connection.execute(query)]
