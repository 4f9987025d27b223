"""The figures of a month: for each unit its own, and for the national office what may leave a unit.

A dossier counts for the units that have it now. Nationally it counts once, and what is small is
hidden there as in the public statistics, with whatever it could be computed from; and what was
shown of a month once is shown again, whatever came in since.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Self

from sqlalchemy import Connection

from routing.calendar import PARIS
from routing.ruleset import RuleSet
from service.statistics.month import Figures, MonthCounts, publishable
from service.statistics.publish import next_month
from service.statistics.suppression import ALL, Counts, shown_requests
from service.statistics.working_days import TARGET, day_in_paris, working_days
from store import national_months
from store.engine import Database
from store.monthly_dossiers import MonthlyDossier, read_dossiers

DECISIONS = ("closed", "refused", "without_continuation")
"""States of a decided dossier, in the order of a report."""


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
        units: deposits, decisions and delays of each unit, under its code.
    """

    decided: Counts
    units: Sequence[Figures]

    @property
    def whole(self) -> Figures:
        """All units together; empty where nothing may be said."""
        every = (each for each in self.units if (each.department, each.permit_type) == (ALL, ALL))
        return next(every, Figures(department=ALL, permit_type=ALL))

    @property
    def tells(self) -> bool:
        """Whether any figure is shown."""
        return bool(self.decided or self.units)

    def as_json(self) -> dict[str, Any]:
        """What `of_json` reads."""
        decided = [[state, kind, count] for (state, kind), count in self.decided.items()]
        return {"decided": decided, "units": [asdict(each) for each in self.units]}

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> Self:
        """The month that `as_json` stored."""
        decided = {(state, kind): count for state, kind, count in stored["decided"]}
        return cls(decided, [Figures(**each) for each in stored["units"]])


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


def national_report(
    database: Database, rules: RuleSet, month: date, now: datetime
) -> NationalReport:
    """The report of all units for the month that begins on `month`.

    A month is masked once and shown so ever after: from two versions with different masks, what
    each of them hides could be computed. A month of which nothing can be told yet stays open.
    """
    before = previous_month(month)
    with database.read() as connection:
        told = national_months.told(connection, (month, before))
        missing = {month, before} - told.keys()
        tallies = _tallies(connection, before, month) if missing else {}
    masked = {day: tallies[day].masked(rules) for day in missing}
    with database.begin() as connection:
        new = {day: each.as_json() for day, each in masked.items() if each.tells}
        national_months.tell(connection, new, now)
        told = national_months.told(connection, (month, before))
    shown = {day: MaskedMonth.of_json(figures) for day, figures in told.items()}
    return NationalReport(month, *(shown.get(day) or masked[day] for day in (month, before)))


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
        self._filed: Counter[tuple[str, str]] = Counter()
        self._decided: Counter[tuple[str, str]] = Counter()
        self._days: Counter[tuple[str, str, int]] = Counter()

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
            self._filed[self._place(dossier), kind] += 1
        if decided is None or decided >= self._end:
            self._wait(figures, filed, dossier)
        elif self._holds(decided):
            self._decide(figures, dossier, kind, working_days(filed, decided, dossier.department))

    def masked(self, rules: RuleSet) -> MaskedMonth:
        """What may leave the units."""
        kinds = [kind.code for kind in rules.permit_types]
        types = sorted({*kinds, "", *(kind for _, kind in self._decided)})
        cells = [(state, kind) for state in DECISIONS for kind in types]
        counts = MonthCounts(filed=self._filed, decided=self._days)
        return MaskedMonth(
            decided=shown_requests({cell: self._decided[cell] for cell in cells}),
            units=publishable(counts, departments=rules.units, permit_types=kinds),
        )

    def _holds(self, day: date) -> bool:
        return self._first <= day < self._end

    def _place(self, dossier: MonthlyDossier) -> str:
        """The unit under which a dossier counts nationally: once, also when several have it."""
        return dossier.units[0] if dossier.units else ""

    def _wait(self, figures: Iterable[MonthFigures], filed: date, dossier: MonthlyDossier) -> None:
        late = working_days(filed, self._end - timedelta(days=1), dossier.department) > TARGET
        for each in figures:
            each.waiting += 1
            each.waiting_late += late

    def _decide(
        self, figures: Iterable[MonthFigures], dossier: MonthlyDossier, kind: str, days: int
    ) -> None:
        state = dossier.state.value
        for each in figures:
            each.decided[state, kind] += 1
            each.days[kind, days] += 1
        self._decided[state, kind] += 1
        self._days[self._place(dossier), kind, days] += 1


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)
