"""Count dossiers by day: all that are stored, anew; and those that a purge removes, for good."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import cache

from sqlalchemy import Connection

from routing.calendar import paris_day
from service.statistics.working_days import working_days
from store import daily_figures
from store.daily_figures import Counted, Happening, Slot
from store.engine import Database

TRIES = 3
"""Times that counting begins anew because a purge came in between."""

WRITTEN_AT_ONCE = 2_000
"""Rows in one statement."""

_FILED, _DECIDED = Happening.FILED.value, Happening.DECIDED.value


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


def _counts(dossiers: Iterable[tuple[str, str | None, str, str]]) -> Counter[Slot]:
    """Where dossiers are counted: on the day of deposit, and on that of the decision."""
    return Counter(slot for dossier in dossiers for slot in _slots(*dossier))


def _slots(filed: str, ended: str | None, department: str, permit_type: str) -> Iterator[Slot]:
    filed_on = _day(filed)
    yield Slot(filed_on, _FILED, department, permit_type, 0)
    if ended is not None:
        ended_on = _day(ended)
        taken = working_days(filed_on, ended_on, department)
        yield Slot(ended_on, _DECIDED, department, permit_type, taken)


@cache
def _day(hour: str) -> date:
    """The day in Paris, whose clocks differ from UTC by whole hours."""
    return paris_day(datetime.fromisoformat(f"{hour}:00+00:00"))
