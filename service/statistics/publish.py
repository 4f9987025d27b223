"""Publish the figures of months that are over, each once: two days tell no more than one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from itertools import takewhile

from routing.calendar import PARIS, paris_day
from routing.territory import departments
from service.register import polled_procedures
from service.runtime import Runtime
from service.statistics.count import count_days
from service.statistics.month import MonthCounts, publishable
from service.statistics.suppression import FLOOR
from store import daily_figures, procedures, published_figures
from store.daily_figures import Happening, MonthRow
from store.published_figures import StoredFigure

SETTLING = timedelta(days=7)
"""How long after its end a month is published: corrections come in until then."""

WAITING = timedelta(days=30)
"""How long a dossier that cannot be read keeps the month of its deposit from being published."""


@dataclass(frozen=True, slots=True)
class StatisticsReport:
    """What one look did: rows of daily figures that changed, and months that were published."""

    changed: int = 0
    published: Sequence[date] = field(default_factory=tuple)


def update_statistics(runtime: Runtime) -> StatisticsReport:
    """Count every dossier by day, then publish each month that is over and complete."""
    changed = count_days(runtime.database)
    return StatisticsReport(changed, _publish_months(runtime))


def publish_when_due(runtime: Runtime) -> StatisticsReport:
    """The same, but only when a month may be due: to count takes long, and this is asked often."""
    with runtime.database.read() as connection:
        known = published_figures.months(connection)
    if known and not [*_over(next_month(known[-1]), _today(runtime))]:
        return StatisticsReport()
    return update_statistics(runtime) if _all_listed(runtime) else StatisticsReport()


def _publish_months(runtime: Runtime) -> tuple[date, ...]:
    """Publish the months that are due, the earliest first; returns them.

    A month is due a week after its end, when every dossier filed in it was read. The first month
    ever is one with five deposits or decisions; from then on no month is left out.
    """
    months = [*_due(runtime)]
    if not months or not _all_listed(runtime):
        return ()
    kinds = [kind.code for kind in runtime.rules().permit_types]
    return tuple(takewhile(lambda month: _publish(runtime, month, kinds), months))


def _due(runtime: Runtime) -> Iterator[date]:
    with runtime.database.read() as connection:
        known = published_figures.months(connection)
        first = next_month(known[-1]) if known else _first(daily_figures.by_day(connection))
    return _over(first, _today(runtime))


def _over(month: date | None, today: date) -> Iterator[date]:
    """The months from one on that are over."""
    while month is not None and next_month(month) <= today:
        yield month
        month = next_month(month)


def _today(runtime: Runtime) -> date:
    """The day up to which everything has settled."""
    return paris_day(runtime.clock() - SETTLING)


def _first(days: Iterator[tuple[date, Happening, int]]) -> date | None:
    """The first month in which enough happened for anything to be said of it."""
    counts: dict[tuple[date, Happening], int] = defaultdict(int)
    for day, event, count in days:
        month = day.replace(day=1)
        counts[month, event] += count
        if counts[month, event] >= FLOOR:
            return month
    return None


def _all_listed(runtime: Runtime) -> bool:
    """Whether each procedure that can be read was once listed to its end."""
    polled = set(polled_procedures(runtime))
    with runtime.database.read() as connection:
        rows = {row.number: row for row in procedures.listing(connection)}
    active = procedures.ProcedureStatus.ACTIVE.value
    listed = {n for n, row in rows.items() if row.scanned_at is not None or row.status != active}
    return polled <= listed


def _publish(runtime: Runtime, month: date, kinds: Sequence[str]) -> bool:
    """Publish one month; False when it has to wait."""
    now, after = runtime.clock(), next_month(month)
    with runtime.database.begin() as connection:
        end = datetime(after.year, after.month, after.day, tzinfo=PARIS)
        if published_figures.is_incomplete(connection, end, seen_after=now - WAITING):
            return False
        counts = _counts(daily_figures.month(connection, month, after))
        figures = publishable(counts, departments=departments(), permit_types=kinds)
        stored = [StoredFigure(month=month, **asdict(figure)) for figure in figures]
        published_figures.publish(connection, month, stored, now)
    return True


def _counts(rows: Sequence[MonthRow]) -> MonthCounts:
    filed: dict[tuple[str, str], int] = defaultdict(int)
    decided: dict[tuple[str, str, int], int] = defaultdict(int)
    for row in rows:
        if row.event is Happening.FILED:
            filed[row.department, row.permit_type] += row.dossiers
        else:
            decided[row.department, row.permit_type, row.working_days] += row.dossiers
    return MonthCounts(filed=filed, decided=decided)


def next_month(month: date) -> date:
    """The first day of the month after that of `month`."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)
