"""Count dossiers by day: all that are stored, anew; and those that a purge removes, for good."""

from collections import Counter
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from service.statistics.working_days import day_in_paris, working_days
from store import daily_figures
from store.daily_figures import Counted, Happening, Slot
from store.engine import Database

TRIES = 3
"""Times that counting begins anew because a purge came in between."""

WRITTEN_AT_ONCE = 2_000
"""Rows in one statement."""


def count_days(database: Database) -> int:
    """Bring the daily figures in step with the dossiers that are stored; how many rows changed.

    Doing it twice changes nothing. A dossier whose facts changed, or that was reopened, is
    counted as it is now.
    """
    for _ in range(TRIES):
        with database.read() as connection:
            purged = daily_figures.purged_total(connection)
            counts = _counts(daily_figures.stored_dossiers(connection))
        with database.begin() as connection:
            daily_figures.lock(connection)
            # What was purged meanwhile is counted among the purged, and must not be twice.
            if daily_figures.purged_total(connection) == purged:
                return _write(connection, counts)
    return 0


def keep_counts(connection: Connection, removed: Iterable[Counted]) -> None:
    """Count dossiers as purged, in the commit that removes them."""
    counts = _counts(removed)
    if counts:
        daily_figures.lock(connection)
        daily_figures.add_purged(connection, counts)


def _write(connection: Connection, counts: Counter[Slot]) -> int:
    before = daily_figures.stored_counts(connection)
    changed = {
        slot: counts[slot]
        for slot in counts.keys() | before.keys()
        if counts[slot] != before.get(slot, 0)
    }
    slots = sorted(changed)
    for start in range(0, len(slots), WRITTEN_AT_ONCE):
        part = slots[start : start + WRITTEN_AT_ONCE]
        daily_figures.set_stored(connection, {slot: changed[slot] for slot in part})
    return len(changed)


def _counts(dossiers: Iterable[Counted]) -> Counter[Slot]:
    return Counter(slot for dossier in dossiers for slot in slots_of(dossier))


def slots_of(dossier: Counted) -> Iterator[Slot]:
    """Where a dossier is counted: on the day of its deposit, and on that of its decision."""
    place, kind = dossier.department or "", dossier.permit_type or ""
    filed = day_in_paris(dossier.filed_at)
    yield Slot(filed, Happening.FILED, place, kind, 0)
    if dossier.ended_at is not None:
        decided = day_in_paris(dossier.ended_at)
        taken = working_days(filed, decided, dossier.department)
        yield Slot(decided, Happening.DECIDED, place, kind, taken)
