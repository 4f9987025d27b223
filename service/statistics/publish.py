"""Publish the figures of months that are over, each once: two days tell no more than one.

What the national report adds to them is masked beside them, and stored in the same commit: somebody
who holds both finds no difference between two counts, or between two masks.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from routing.calendar import PARIS
from routing.office_days import next_opening
from routing.territory import departments
from service.register import polled_procedures
from service.runtime import Runtime
from service.statistics.count import count_month
from service.statistics.month import publishable
from service.statistics.suppression import FLOOR
from store import daily_figures, national_months, procedures, published_figures
from store.published_figures import StoredFigure

SETTLED_AT = time(8)
"""In Paris, on the first working day after a month: from then on it may be published."""

WAITING = timedelta(days=30)
"""How long a dossier that cannot be read keeps the month of its deposit from being published."""


@dataclass(frozen=True, slots=True)
class StatisticsReport:
    """What one look did.

    Attributes:
        published: the months that were.
        waiting: whether a month is over that could not be: something of it is not read yet, or
            time ran out.
    """

    published: tuple[date, ...] = ()
    waiting: bool = False


def publish_when_due(runtime: Runtime, *, within: timedelta | None = None) -> StatisticsReport:
    """Publish the months that are due, the earliest first.

    A month is due once it is settled, and when every dossier filed in it was read. The first month
    ever is one with five deposits or decisions; from then on no month is left out.

    Args:
        runtime: of this process.
        within: how long to go on; to the end when None.
    """
    started_at = runtime.clock()
    published: list[date] = []
    for month in _due(runtime):
        late = within is not None and runtime.clock() - started_at > within
        if late or not _publish(runtime, month):
            return StatisticsReport(tuple(published), waiting=True)
        published.append(month)
    return StatisticsReport(tuple(published))


def settled_at(month: date) -> datetime:
    """When what is told of the month that begins on `month` may be told: it is over, and an office
    day has begun."""
    return next_opening(_midnight(next_month(month)), (SETTLED_AT,), None)


def next_month(month: date) -> date:
    """The first day of the month after that of `month`."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def _due(runtime: Runtime) -> Iterator[date]:
    """The months that are settled and not public."""
    now = runtime.clock()
    with runtime.database.read() as connection:
        known = published_figures.months(connection)
        month = next_month(known[-1]) if known else _first(connection, now)
    while month is not None and settled_at(month) <= now:
        yield month
        month = next_month(month)


def _first(connection: Connection, now: datetime) -> date | None:
    """The first month in which enough happened for anything to be said of it."""
    day = daily_figures.first_day(connection)
    month = day and day.replace(day=1)
    while month is not None and settled_at(month) <= now:
        counts = count_month(connection, month, next_month(month))
        if max(sum(counts.filed.values()), sum(counts.decided.values())) >= FLOOR:
            return month
        month = next_month(month)
    return None


def _publish(runtime: Runtime, month: date) -> bool:
    """Publish one month; False when it has to wait."""
    now, after = runtime.clock(), next_month(month)
    kinds = [kind.code for kind in runtime.rules().permit_types]
    polled = polled_procedures(runtime)
    with runtime.database.begin() as connection:
        end = _midnight(after)
        if not procedures.listed_since(connection, polled, end):
            return False
        if published_figures.is_incomplete(connection, end, seen_after=now - WAITING):
            return False
        counts = count_month(connection, month, after)
        shown = publishable(counts, departments=departments(), permit_types=kinds)
        stored = [StoredFigure(month=month, **asdict(figure)) for figure in shown.figures]
        if published_figures.publish(connection, month, stored, now):
            national_months.tell(connection, month, shown.outcomes, now)
    return True


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)
