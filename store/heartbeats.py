"""Which parts of the service were seen alive, and when: beat, and a worker on each queue."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, case, select, update

from store.models import Heartbeat
from store.upsert import insert_new

GAP = timedelta(minutes=3)
"""A part that was not seen for so long is dead; when it is seen again, its life begins anew."""

TELLER = "upkeep"
"""The queue whose workers note who lives; while none does, nothing is known of the others."""


class Life(StrEnum):
    """What is known of a part of the service."""

    ALIVE = "alive"
    SILENT = "silent"
    UNKNOWN = "unknown"
    """Whoever would notice it is silent."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """A part of the service, when it was last seen and since when without a gap."""

    name: str
    since: datetime
    seen_at: datetime

    def is_alive(self, now: datetime) -> bool:
        """Whether it was seen a moment ago."""
        return now - self.seen_at < GAP


def teller(pulses: Collection[Pulse]) -> Pulse | None:
    """The part that notes who lives, None before it was ever seen."""
    return next((pulse for pulse in pulses if pulse.name == TELLER), None)


def life(pulse: Pulse, pulses: Collection[Pulse], now: datetime) -> Life:
    """What is known of one of `pulses` now."""
    if pulse.is_alive(now):
        return Life.ALIVE
    noting = teller(pulses)
    known = pulse is noting or (noting is not None and noting.is_alive(now))
    return Life.SILENT if known else Life.UNKNOWN


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
