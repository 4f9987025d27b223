"""The figures of a month: for each unit its own, and for the national office what may leave a unit.

A dossier counts for the units that have it now. The national office gets what is public of the
month, and decisions by their outcome besides, which were masked together with it and stored when it
was published (`service.statistics.publish`): here nothing is counted or masked for it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from routing.calendar import PARIS
from service.statistics.publish import next_month
from service.statistics.suppression import ALL, Counts
from service.statistics.working_days import TARGET, day_in_paris, working_days
from store import national_months, published_figures
from store.monthly_dossiers import MonthlyDossier, read_dossiers
from store.published_figures import StoredFigure


@dataclass(slots=True)
class MonthFigures:
    """What happened in a month, of one unit or of all.

    Attributes:
        filed: deposits by permit type; an empty code where it is unknown, here and below.
        decided: decisions by state and permit type.
        days: decisions by permit type and the working days that they took.
        waiting: dossiers that were not decided at the end of the month.
        waiting_late: those of them that waited for more than five working days by then.
    """

    filed: Counter[str] = field(default_factory=Counter)
    decided: Counter[tuple[str, str]] = field(default_factory=Counter)
    days: Counter[tuple[str, int]] = field(default_factory=Counter)
    waiting: int = 0
    waiting_late: int = 0

    @property
    def decisions(self) -> int:
        """All decisions."""
        return self.decided.total()

    @property
    def late(self) -> int:
        """Decisions that took more than five working days."""
        return sum(count for (_, days), count in self.days.items() if days > TARGET)

    def by_days(self, permit_type: str | None = None) -> Mapping[int, int]:
        """Decisions by working days, of one permit type or of all."""
        found: Counter[int] = Counter()
        for (kind, days), count in self.days.items():
            if permit_type is None or kind == permit_type:
                found[days] += count
        return found


@dataclass(frozen=True, slots=True)
class UnitReport:
    """A month of one unit, and the month before."""

    unit: str
    month: date
    this: MonthFigures
    before: MonthFigures


@dataclass(frozen=True, slots=True)
class MaskedMonth:
    """What the national office sees of a month.

    Attributes:
        decided: decisions by state and permit type, totals under `ALL`; hidden ones are missing.
        figures: what is public of it; empty when nothing is.
    """

    decided: Counts
    figures: Sequence[StoredFigure]

    @property
    def whole(self) -> StoredFigure | None:
        """All départements together; None where nothing may be said."""
        return next((each for each in self.places if each.department == ALL), None)

    @property
    def places(self) -> Sequence[StoredFigure]:
        """The départements, and all together: the lines without a permit type."""
        return [each for each in self.figures if each.permit_type == ALL]


@dataclass(frozen=True, slots=True)
class NationalReport:
    """A month of all units, and the month before, masked."""

    month: date
    this: MaskedMonth
    before: MaskedMonth


def previous_month(month: date) -> date:
    """The first day of the month before that of `month`."""
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)


def unit_reports(connection: Connection, month: date) -> Sequence[UnitReport]:
    """The reports of the month that begins on `month`, by unit.

    A unit that had nothing to do in it and the month before has none.
    """
    before = previous_month(month)
    tallies = _tallies(connection, before, month)
    this, then = tallies[month].units, tallies[before].units
    return [UnitReport(code, month, this[code], then[code]) for code in sorted({*this, *then})]


def national_report(connection: Connection, month: date) -> NationalReport:
    """The report of all units for the month that begins on `month`: empty until it is public."""
    before = previous_month(month)
    decided = national_months.told(connection, (month, before))
    this, then = (
        MaskedMonth(decided.get(day, {}), published_figures.figures(connection, month=day))
        for day in (month, before)
    )
    return NationalReport(month, this, then)


def _tallies(connection: Connection, before: date, month: date) -> dict[date, "_Tally"]:
    dossiers = read_dossiers(connection, _midnight(before), _midnight(next_month(month)))
    tallies = {day: _Tally(day) for day in (month, before)}
    for dossier in dossiers:
        for tally in tallies.values():
            tally.add(dossier)
    return tallies


class _Tally:
    """Counts dossiers of one month."""

    def __init__(self, month: date) -> None:
        self._first, self._end = month, next_month(month)
        self.units: dict[str, MonthFigures] = defaultdict(MonthFigures)

    def add(self, dossier: MonthlyDossier) -> None:
        """Count one."""
        kind, filed = dossier.permit_type or "", day_in_paris(dossier.filed_at)
        decided = day_in_paris(dossier.ended_at) if dossier.ended_at else None
        if filed >= self._end:
            return
        figures = [self.units[unit] for unit in dossier.units]
        if self._holds(filed):
            for each in figures:
                each.filed[kind] += 1
        if decided is None or decided >= self._end:
            self._wait(figures, filed, dossier)
        elif self._holds(decided):
            days = working_days(filed, decided, dossier.department)
            for each in figures:
                each.decided[dossier.state.value, kind] += 1
                each.days[kind, days] += 1

    def _holds(self, day: date) -> bool:
        return self._first <= day < self._end

    def _wait(self, figures: Iterable[MonthFigures], filed: date, dossier: MonthlyDossier) -> None:
        late = working_days(filed, self._end - timedelta(days=1), dossier.department) > TARGET
        for each in figures:
            each.waiting += 1
            each.waiting_late += late


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)
