"""The figures of one month: what may be published of its deposits and of its decisions.

Deposits by département and permit type together, and decisions by département and by permit type
apart, so that they say nothing of a permit type within a département. The national office gets
decisions by their outcome and permit type as well: masked by what is public, so that nothing can be
computed from both.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from routing.facts import DossierState
from service.statistics.durations import Durations, durations, told_by
from service.statistics.suppression import (
    ALL,
    FLOOR,
    Counts,
    Shown,
    Split,
    shown_decisions,
    shown_outcomes,
    shown_requests,
    tells_late,
)
from service.statistics.working_days import TARGET

UNKNOWN = ""
"""Stands for dossiers whose département, or permit type, could not be read."""

OUTCOMES = tuple(state.value for state in DossierState if state.ended)
"""States of a decided dossier, in the order of a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthCounts:
    """What happened in a month.

    Attributes:
        filed: deposits by département and permit type, `UNKNOWN` where it could not be read.
        decided: decisions by département, permit type and the working days that they took.
        outcomes: the same decisions by state and permit type; fewer where those of purged dossiers
            are among them, whose states nobody knows any more.
    """

    filed: Counts
    decided: Mapping[tuple[str, str, int], int]
    outcomes: Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is published of one département and permit type; None where nothing is.

    Attributes:
        department: its code; `ALL` for France, `UNKNOWN` for those without one.
        permit_type: its code; `ALL` for all, `UNKNOWN` for those without one.
        requests: deposits of the month.
        decisions: decisions of the month.
        late: those that took more than five working days.
        median: working days that half of the decisions took at most.
        p90: working days that nine in ten of the decisions took at most.
    """

    department: str
    permit_type: str
    requests: int | None = None
    decisions: int | None = None
    late: int | None = None
    median: int | None = None
    p90: int | None = None


@dataclass(frozen=True, slots=True)
class Publishable:
    """What may be told of a month.

    Attributes:
        figures: what is public, without lines that have nothing.
        outcomes: what the national office gets beside it: decisions by state and permit type, and
            their totals under `ALL`.
    """

    figures: Sequence[Figures]
    outcomes: Counts


ByDays = Mapping[int, int]


def publishable(
    counts: MonthCounts, *, departments: Iterable[str], permit_types: Iterable[str]
) -> Publishable:
    """The figures of a month that may be told.

    Args:
        counts: what happened.
        departments: all that there are, so that none stands out by not being there.
        permit_types: likewise.
    """
    places = sorted({*departments, UNKNOWN, *(place for place, _ in counts.filed)})
    kinds = sorted({*permit_types, UNKNOWN, *(kind for _, kind in counts.filed)})
    filed = {(p, k): counts.filed.get((p, k), 0) for p in places for k in kinds}
    requests = shown_requests(filed)
    decisions, outcomes = _decisions(counts, places, kinds)
    lines = sorted({*requests, *decisions})
    figures = [
        Figures(
            department=place,
            permit_type=kind,
            requests=requests.get((place, kind)),
            **decisions.get((place, kind), {}),
        )
        for place, kind in lines
    ]
    return Publishable(figures, outcomes)


Said = dict[str, int | None]


def _decisions(
    counts: MonthCounts, places: Iterable[str], kinds: Iterable[str]
) -> tuple[dict[tuple[str, str], Said], Counts]:
    """What is told of decisions: of the whole, of départements, of permit types, of outcomes."""
    decided = counts.decided
    whole = _by_days((days, count) for (_, _, days), count in decided.items())
    if sum(whole.values()) < FLOOR:
        return {}, {}
    by_place = _rows(places, ((p, days, count) for (p, _, days), count in decided.items()))
    by_kind = _rows(kinds, ((k, days, count) for (_, k, days), count in decided.items()))
    split = _split(whole)
    found = {(ALL, ALL): _said(whole, late=tells_late(split), quantiles=True)}
    for row, said in _lines(by_place, shown_decisions(_splits(by_place), split)):
        found[row, ALL] = said
    shown = shown_decisions(_splits(by_kind), split)
    for row, said in _lines(by_kind, shown):
        found[ALL, row] = said
    if sum(counts.outcomes.values()) != split.total:
        return found, {}
    inner = {
        (state, kind): counts.outcomes.get((state, kind), 0)
        for state in OUTCOMES
        for kind in by_kind
    }
    return found, shown_outcomes(inner, _splits(by_kind), shown, split)


def _lines(rows: Mapping[str, ByDays], shown: Shown) -> Iterator[tuple[str, Said]]:
    for row in sorted(shown.totals):
        yield row, _said(rows[row], late=row in shown.late, quantiles=row in shown.quantiles)


def _splits(rows: Mapping[str, ByDays]) -> dict[str, Split]:
    return {row: _split(by_days) for row, by_days in rows.items()}


def _said(by_days: ByDays, *, late: bool, quantiles: bool) -> Said:
    found = durations(by_days)
    split = _split(by_days)
    return {
        "decisions": split.total,
        "late": split.late if late else None,
        "median": found.median if quantiles else None,
        "p90": found.p90 if quantiles else None,
    }


def _split(by_days: ByDays) -> Split:
    total = sum(by_days.values())
    found: Durations = durations(by_days)
    late = sum(count for days, count in by_days.items() if days > TARGET)
    return Split(total=total, late=late, told=told_by(found, total))


def _rows(names: Iterable[str], counted: Iterable[tuple[str, int, int]]) -> dict[str, ByDays]:
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in names}
    for name, days, count in counted:
        found.setdefault(name, []).append((days, count))
    return {name: _by_days(counts) for name, counts in found.items()}


def _by_days(counts: Iterable[tuple[int, int]]) -> dict[int, int]:
    found: dict[int, int] = defaultdict(int)
    for days, count in counts:
        found[days] += count
    return dict(found)
