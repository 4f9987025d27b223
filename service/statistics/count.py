"""Count what happened in a month; and what a purge removes, for good."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from functools import cache

from sqlalchemy import Connection

from routing.calendar import PARIS, paris_day
from service.statistics.month import MonthCounts
from service.statistics.working_days import working_days
from store import daily_figures
from store.daily_figures import Counted, Happening, Slot


def count_month(connection: Connection, first: date, after: date) -> MonthCounts:
    """What happened from the day `first` on and before `after`, of stored and purged dossiers.

    Keeps purges out until the end of the transaction.
    """
    daily_figures.keep_out_purges(connection)
    start, end = (datetime.combine(day, time(), PARIS) for day in (first, after))
    filed, decided = Counter[tuple[str, str]](), Counter[tuple[str, str, int]]()
    outcomes = Counter[tuple[str, str]]()
    for place, kind, count in daily_figures.filed_between(connection, start, end):
        filed[place, kind] += count
    for since, until, place, kind, state in daily_figures.decided_between(connection, start, end):
        decided[place, kind, working_days(_day(since), _day(until), place)] += 1
        outcomes[state, kind] += 1
    for event, place, kind, days, count in daily_figures.purged_between(connection, first, after):
        if event is Happening.FILED:
            filed[place, kind] += count
        else:
            decided[place, kind, days] += count
    return MonthCounts(filed=filed, decided=decided, outcomes=outcomes)


def keep_counts(connection: Connection, removed: Iterable[Counted]) -> None:
    """Count dossiers as purged, in the commit that removes them."""
    slots = Counter(slot for dossier in removed for slot in _slots(dossier))
    daily_figures.add_purged(connection, slots)


def _slots(dossier: Counted) -> Iterator[Slot]:
    """Where a dossier is counted: on the day of deposit, and on that of the decision."""
    place, kind = dossier.department, dossier.permit_type
    filed_on = _day(dossier.filed)
    yield Slot(filed_on, Happening.FILED.value, place, kind, 0)
    if dossier.ended is not None:
        ended_on = _day(dossier.ended)
        taken = working_days(filed_on, ended_on, place)
        yield Slot(ended_on, Happening.DECIDED.value, place, kind, taken)


@cache
def _day(hour: str) -> date:
    """The day in Paris, whose clocks differ from UTC by whole hours."""
    return paris_day(datetime.fromisoformat(f"{hour}:00+00:00"))
