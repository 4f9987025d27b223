"""The rule set: decides which units get a dossier, from its facts and the day alone.

Rules are tried in order and the first that matches decides. They are compiled once:
every box of every rule is a bit, every value of an attribute is the set of boxes that
admit it, so that the first rule that matches is the lowest bit of a few ANDs, however
many rules there are.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from operator import or_
from typing import NamedTuple

from routing.boxes import Axes, Axis, Box, bits
from routing.conditions import ALWAYS, Case, Condition
from routing.decision import Decision
from routing.facts import DossierState, Facts, Filer, Reason
from routing.forms import Form, PermitType
from routing.reasons import SHIPPED
from routing.units import Notify, Unit

DEPARTMENT_UNIT = "department-unit"
"""The target that stands for the unit of the département of competence."""

MOST_REMEMBERED = 65_536
"""Outcomes that a rule set remembers, by rule, département and interval of the day of decision.

A few hundred in practice, some 10 MB at most; when it is full, all are forgotten.
"""

_DEPARTMENT_REASONS = frozenset(
    {
        Reason.DEPARTMENT_MISSING,
        Reason.DEPARTMENT_UNKNOWN,
        Reason.DEPARTMENT_ABROAD,
        Reason.POSTAL_CODE_AMBIGUOUS,
        Reason.POSTAL_CODE_UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        id: its name, in logs and in the audit.
        why: one French sentence that tells an office why the dossier came to it.
        article: the article of law it rests on (`R5221-15`), None when it rests on none.
        when: its condition.
        send_to: codes of units, or `DEPARTMENT_UNIT`; each gets the dossier.
        valid_from: first day of decision on which it is applied, None for always.
        valid_before: first day on which it is not applied any more, None for never.
        inform: codes of units, or `DEPARTMENT_UNIT`; each is told of the dossier for information.
        notify: how those that get the dossier are told, None: as each of them is used to.
    """

    id: str
    why: str
    when: Condition = ALWAYS
    send_to: tuple[str, ...] = (DEPARTMENT_UNIT,)
    article: str | None = None
    valid_from: date | None = None
    valid_before: date | None = None
    inform: tuple[str, ...] = ()
    notify: Notify | None = None


class Outcome(NamedTuple):
    """The decision of a case, without the dossier."""

    units: tuple[str, ...]
    rule: str | None
    reasons: tuple[Reason, ...]
    routed: bool
    inform: tuple[str, ...] = ()
    notify: Notify | None = None


class _Destination(NamedTuple):
    unit: str | None
    reason: Reason | None


_Key = tuple[str | None, str | None, int, Filer, DossierState, int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class RuleSet:
    """A compiled rule set.

    Attributes:
        hash: SHA-256 (hex) of the document that it was compiled from.
        units: the units by their codes.
        forms: the procedures by their ids.
        permit_types: in the order in which they are recognised.
        rules: in the order in which they are tried.
        fallback: code of the unit that gets what no rule can place.
        reasons: why a person may give a dossier to another unit, by code, in words.
    """

    hash: str
    units: Mapping[str, Unit]
    forms: Mapping[int, Form]
    permit_types: tuple[PermitType, ...]
    rules: tuple[Rule, ...]
    fallback: str
    reasons: Mapping[str, str] = field(default_factory=lambda: SHIPPED)
    axes: Axes = field(init=False, repr=False)
    index: "RuleIndex" = field(init=False, repr=False)
    _by_id: Mapping[str, Rule] = field(init=False, repr=False)
    _serving: Mapping[str, tuple[Unit, ...]] = field(init=False, repr=False)
    _remembered: dict[tuple[int | None, str | None, int], Outcome] = field(
        init=False, repr=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        axes = Axes.of(
            (rule.when for rule in self.rules),
            permit_types=(permit_type.code for permit_type in self.permit_types),
            procedures=self.forms,
            decided_cuts=_days(self.rules, self.units.values()),
        )
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "index", RuleIndex.of(self.rules, axes))
        object.__setattr__(self, "_by_id", {rule.id: rule for rule in self.rules})
        object.__setattr__(self, "_serving", _serving(self.units.values()))

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of that id, None when there is none."""
        return self._by_id.get(rule_id)

    def decide(self, facts: Facts, on: date) -> Decision:
        """Decide on `facts` on the day `on` (Europe/Paris). Never raises."""
        outcome = self.outcome(facts, on)
        reasons = outcome.reasons
        if facts.reasons:
            reasons = tuple(dict.fromkeys((*facts.reasons, *reasons)))
        if facts.department is None and not outcome.routed:
            reasons = _with_department_reason(reasons)
        return Decision(
            units=outcome.units,
            rule=outcome.rule,
            ruleset=self.hash,
            facts=facts.fingerprint,
            reasons=reasons,
            routed=outcome.routed,
            inform=outcome.inform,
            notify=outcome.notify,
        )

    def outcome(self, facts: Facts, on: date) -> Outcome:
        """The units, the rule, and the reasons found while deciding; see `decide`."""
        return self._outcome(
            (
                facts.permit_type,
                facts.department,
                facts.procedure,
                facts.filer,
                facts.state,
                bisect_right(self.axes.filed_instants, facts.filed_at),
                bisect_right(self.axes.decided_cuts, on),
            ),
            on,
        )

    def outcome_of(self, case: Case) -> Outcome:
        """Decide a case that is not a dossier; see `outcome`."""
        return self._outcome(
            (
                case.permit_type,
                case.department,
                case.procedure,
                case.filer,
                case.state,
                bisect_right(self.axes.filed_cuts, case.filed_on),
                bisect_right(self.axes.decided_cuts, case.decided_on),
            ),
            case.decided_on,
        )

    def _outcome(self, key: _Key, on: date) -> Outcome:
        _, department, _, _, _, _, decided = key
        at = self.index.first(key)
        known = (at, department, decided)
        found = self._remembered.get(known)
        if found is None:
            found = self._apply(at, department, on)
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[known] = found
        return found

    def _apply(self, at: int | None, department: str | None, on: date) -> Outcome:
        if at is None:
            return Outcome((self.fallback,), None, (Reason.NO_RULE_MATCHES,), routed=False)
        rule = self.rules[at]
        found = [self._destination(target, department, on) for target in rule.send_to]
        units = tuple(dict.fromkeys(unit or self.fallback for unit, _ in found))
        others = (self._destination(target, department, on).unit for target in rule.inform)
        return Outcome(
            units=units,
            rule=rule.id,
            reasons=tuple(dict.fromkeys(reason for _, reason in found if reason)),
            routed=all(unit is not None for unit, _ in found),
            inform=tuple(dict.fromkeys(code for code in others if code and code not in units)),
            notify=rule.notify,
        )

    def _destination(self, target: str, department: str | None, on: date) -> _Destination:
        if target != DEPARTMENT_UNIT:
            return self._follow(self.units.get(target), on)
        if department is None:
            return _Destination(None, None)
        serving = self._serving.get(department, ())
        if (unit := next((unit for unit in serving if unit.open_on(on)), None)) is not None:
            return _Destination(unit.code, None)
        closed = [unit for unit in serving if unit.closed_on(on)]
        if not closed:
            return _Destination(None, Reason.DEPARTMENT_NOT_SERVED)
        return self._follow(max(closed, key=lambda unit: unit.closes or date.min), on)

    def in_office(self, code: str | None, on: date) -> Unit | None:
        """The unit of that code, or when it is closed its successor that is open; None: neither."""
        found = self._follow(self.units.get(code or ""), on).unit
        return self.units[found] if found else None

    def _follow(self, unit: Unit | None, on: date) -> _Destination:
        """The unit, or when it is closed the first of its successors that is open."""
        seen: set[str] = set()
        while unit is not None and unit.code not in seen:
            if unit.open_on(on):
                return _Destination(unit.code, Reason.SUCCESSOR_UNIT if seen else None)
            seen.add(unit.code)
            unit = self.units.get(unit.successor) if unit.successor else None
        return _Destination(None, Reason.UNIT_CLOSED)


@dataclass(frozen=True, slots=True)
class RuleIndex:
    """The boxes of all rules, and for every value the boxes that admit it.

    Attributes:
        boxes: of all rules, in the rules' order.
        owners: for each box the position of its rule.
        rows: for each axis on which some box chooses, the boxes that admit each position.
        tables: for each axis on which some box chooses: the axis, the boxes that admit a
            value by the value (a position, for dates), and those that admit any other.
    """

    boxes: tuple[Box, ...]
    owners: tuple[int, ...]
    rows: Mapping[Axis, Sequence[int]]
    tables: tuple[tuple[int, Mapping[object, int], int], ...]
    everything: int

    @classmethod
    def of(cls, rules: Sequence[Rule], axes: Axes) -> "RuleIndex":
        """The index of `rules`, which are tried in this order."""
        owned = [
            (at, box)
            for at, rule in enumerate(rules)
            for box in axes.boxes(rule.when, rule.valid_from, rule.valid_before)
        ]
        boxes = tuple(box for _, box in owned)
        rows = {
            axis: _row(boxes, axis, axes)
            for axis in Axis
            if any(box[axis] != axes.everything[axis] for box in boxes)
        }
        return cls(
            boxes=boxes,
            owners=tuple(at for at, _ in owned),
            rows=rows,
            tables=tuple(_table(axis, row, axes) for axis, row in rows.items()),
            everything=(1 << len(boxes)) - 1,
        )

    def first(self, key: _Key) -> int | None:
        """The position of the first rule that matches, None when none does."""
        admitted = self.everything
        for axis, table, other in self.tables:
            admitted &= table.get(key[axis], other)
            if not admitted:
                return None
        return self.owners[(admitted & -admitted).bit_length() - 1] if admitted else None

    def touching(self, box: Box) -> int:
        """The boxes that have a case in common with `box`."""
        found = self.everything
        for axis, row in self.rows.items():
            found &= reduce(or_, (row[position] for position in bits(box[axis])))
        return found

    def admitting(self, axis: Axis, value: object) -> int:
        """The boxes that admit a value of an axis. Values of one answer are never told apart."""
        for chosen, table, other in self.tables:
            if chosen == axis:
                return table.get(value, other)
        return self.everything


def _row(boxes: Sequence[Box], axis: Axis, axes: Axes) -> Sequence[int]:
    """For each position of an axis which boxes admit it, as the bits of an int."""
    rows = [bytearray(len(boxes) // 8 + 1) for _ in range(axes.sizes[axis])]
    for at, box in enumerate(boxes):
        byte, bit = at >> 3, 1 << (at & 7)
        for position in bits(box[axis]):
            rows[position][byte] |= bit
    return [int.from_bytes(row, "little") for row in rows]


def _table(axis: Axis, row: Sequence[int], axes: Axes) -> tuple[int, Mapping[object, int], int]:
    """The row by values, and what holds for any other value."""
    if axis in {Axis.FILED, Axis.DECIDED}:
        return axis, dict(enumerate(row)), 0
    return axis, dict(zip(axes.values[axis], row, strict=False)), row[-1]


def _days(rules: Iterable[Rule], units: Iterable[Unit]) -> Iterator[date]:
    """The days on which something begins or ends."""
    for rule in rules:
        yield from filter(None, (rule.valid_from, rule.valid_before))
    for unit in units:
        yield from filter(None, (unit.opens, unit.closes))


def _serving(units: Iterable[Unit]) -> dict[str, tuple[Unit, ...]]:
    found: dict[str, tuple[Unit, ...]] = {}
    for unit in units:
        for department in unit.departments:
            found[department] = (*found.get(department, ()), unit)
    return found


def _with_department_reason(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """`reasons`, with one that says why there is no département."""
    if not _DEPARTMENT_REASONS.isdisjoint(reasons):
        return reasons
    return (*reasons, Reason.DEPARTMENT_MISSING)
