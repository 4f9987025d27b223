"""Every case that can occur, a representative for each that rule sets can tell apart.

What can occur is less than what can be written: who files follows from the procedure, a
permit type is only found on the kinds of form that carry it, and nothing is decided
before it was filed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise, product
from typing import NamedTuple, TypeVar

from routing.boxes import Axes, Axis, Box
from routing.conditions import Case, Value
from routing.facts import DossierState, Filer
from routing.forms import Form, PermitType
from routing.ruleset import RuleSet
from routing.territory import departments

T = TypeVar("T")

UNLISTED = 0
"""Stands for a procedure that is not configured yet. TPS numbers from 1."""


class Interval(NamedTuple):
    """Days from `since` on and before `before`; None leaves an end open."""

    since: date | None
    before: date | None


class Source(NamedTuple):
    """How a permit type can come in."""

    procedure: int
    filer: Filer
    permit_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClass:
    """Cases that no rule tells apart.

    Attributes:
        procedures: every procedure of the class; `UNLISTED` alone when none is configured.
        states: every state of the class.
        filed: the days of deposit.
        decided: the days of decision.
    """

    department: str | None
    permit_type: str | None
    filer: Filer
    procedures: tuple[int, ...]
    states: tuple[DossierState, ...]
    filed: Interval
    decided: Interval

    @property
    def representative(self) -> Case:
        """One case of the class, decided as early as can be."""
        begun = [day for day in (self.filed.since, self.decided.since) if day]
        decided_on = max(begun, default=None) or _day_before(self.decided.before)
        latest = min(decided_on, _day_before(self.filed.before))
        return Case(
            permit_type=self.permit_type,
            department=self.department,
            procedure=self.procedures[0],
            filer=self.filer,
            state=self.states[0],
            filed_on=self.filed.since or latest,
            decided_on=decided_on,
        )


def sources(rules: RuleSet) -> Iterator[Source]:
    """Every way in which a dossier can come in. A kind of form without procedure has one too."""
    listed = {form.kind for form in rules.forms.values()}
    for form in rules.forms.values():
        for permit_type in _carried(form, rules.permit_types):
            yield Source(form.procedure, form.filer, permit_type)
    for permit in rules.permit_types:
        if permit.recognition.kinds and not permit.recognition.kinds & listed:
            for filer in Filer:
                yield Source(UNLISTED, filer, permit.code)


def possible(rules: RuleSet) -> list[Box]:
    """Everything that can occur, as boxes on the axes of `rules`."""
    axes = rules.axes
    groups: dict[tuple[Filer, frozenset[str | None]], set[int]] = defaultdict(set)
    carried: dict[tuple[int, Filer], set[str | None]] = defaultdict(set)
    for source in sources(rules):
        carried[source.procedure, source.filer].add(source.permit_type)
    for (procedure, filer), permits in carried.items():
        groups[filer, frozenset(permits)].add(procedure)
    return [
        (
            _positions(axes, Axis.PERMIT_TYPE, permits),
            axes.everything[Axis.DEPARTMENT],
            _positions(axes, Axis.PROCEDURE, procedures),
            _positions(axes, Axis.FILER, [filer]),
            axes.everything[Axis.STATE],
            filed,
            decided,
        )
        for (filer, permits), procedures in groups.items()
        for filed, decided in _in_time(axes)
    ]


def case_classes(
    rule_sets: Sequence[RuleSet], *, decided: Iterable[Interval], hypothetical: bool = False
) -> Iterator[CaseClass]:
    """Every class of cases that can occur under one of `rule_sets` and that one can tell apart.

    Args:
        decided: the days of decision to look at.
        hypothetical: also what no configured procedure brings in.
    """
    ways = list(_ways(rule_sets, hypothetical=hypothetical))
    states = list(_alike(rule_sets, Axis.STATE, DossierState))
    times = list(_times(rule_sets, decided))
    for department, way, state, (filed, day) in product(
        (*departments(), None), ways, states, times
    ):
        permit_type, filer, procedures = way
        yield CaseClass(
            department=department,
            permit_type=permit_type,
            filer=filer,
            procedures=procedures,
            states=state,
            filed=filed,
            decided=day,
        )


def intervals(cuts: Iterable[date]) -> list[Interval]:
    """The intervals that begin and end on `cuts`."""
    return [Interval(*pair) for pair in pairwise([None, *sorted(set(cuts)), None])]


def from_day(rule_sets: Sequence[RuleSet], on: date) -> list[Interval]:
    """The days of decision from `on` on, in intervals in which nothing begins or ends."""
    cuts = {day for rules in rule_sets for day in rules.axes.decided_cuts if day > on}
    first, *later = intervals(cuts)
    return [Interval(on, first.before), *later]


def _carried(form: Form, permit_types: Iterable[PermitType]) -> Iterator[str | None]:
    yield None
    for permit in permit_types:
        if not permit.recognition.kinds or form.kind in permit.recognition.kinds:
            yield permit.code


def _ways(
    rule_sets: Sequence[RuleSet], *, hypothetical: bool
) -> Iterator[tuple[str | None, Filer, tuple[int, ...]]]:
    """Permit type and filer with the procedures that bring them in, those alike together."""
    found: dict[tuple[str | None, Filer], set[int]] = defaultdict(set)
    for rules in rule_sets:
        for source in sources(rules):
            found[source.permit_type, source.filer].add(source.procedure)
        if hypothetical:
            codes = [permit.code for permit in rules.permit_types]
            for permit_type, filer in product([*codes, None], Filer):
                found.setdefault((permit_type, filer), {UNLISTED})
    for (permit_type, filer), procedures in found.items():
        for alike in _alike(rule_sets, Axis.PROCEDURE, sorted(procedures)):
            yield permit_type, filer, alike


def _alike(
    rule_sets: Sequence[RuleSet], axis: Axis, values: Iterable[T]
) -> Iterator[tuple[T, ...]]:
    """`values` in groups that no rule tells apart."""
    groups: dict[tuple[int, ...], list[T]] = defaultdict(list)
    for value in values:
        groups[tuple(rules.index.admitting(axis, value) for rules in rule_sets)].append(value)
    return (tuple(group) for group in groups.values())


def _times(
    rule_sets: Sequence[RuleSet], decided: Iterable[Interval]
) -> Iterator[tuple[Interval, Interval]]:
    """The pairs of days of deposit and of decision that can be."""
    cuts = {day for rules in rule_sets for day in rules.axes.filed_cuts}
    for filed, day in product(intervals(cuts), decided):
        if filed.since is None or day.before is None or filed.since < day.before:
            yield filed, day


def _in_time(axes: Axes) -> Iterator[tuple[int, int]]:
    """For each interval of deposit, the intervals of decision that can follow, as sets."""
    ends = [*axes.decided_cuts, None]
    for at, since in enumerate([None, *axes.filed_cuts]):
        after = (
            1 << place
            for place, end in enumerate(ends)
            if since is None or end is None or since < end
        )
        yield 1 << at, sum(after)


def _positions(axes: Axes, axis: Axis, values: Iterable[Value | None]) -> int:
    known = axes.positions[axis]
    other = len(known)
    return sum({1 << (other if value is None else known.get(value, other)) for value in values})


def _day_before(day: date | None) -> date:
    return date.max if day is None else day - timedelta(days=1)
