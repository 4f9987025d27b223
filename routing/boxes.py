"""The axes along which a rule set tells cases apart, and boxes: sets of cases on them.

Every attribute is an axis with finitely many positions: its known values, one position
for everything else, and for dates the intervals between the days that the configuration
names. A box takes a set of positions on every axis, each set being the bits of an int;
any condition is a union of boxes. That makes a decision a few ANDs of ints, and a proof
that a rule can never be reached a subtraction of boxes, not a sample.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import IntEnum
from functools import cached_property
from itertools import chain, product

from routing.calendar import PARIS
from routing.conditions import (
    AllOf,
    AnyOf,
    Attribute,
    Case,
    Condition,
    Filed,
    Not,
    OneOf,
    Value,
    leaves,
)
from routing.facts import DossierState, Filer
from routing.territory import departments, regions

MOST_BOXES = 2_000
"""Boxes that one condition may need. Real ones need a handful; beyond, no reader can follow."""


_MOST_PAIRS = 50 * MOST_BOXES


class Axis(IntEnum):
    """The axes, in the order of a box's sets."""

    PERMIT_TYPE = 0
    DEPARTMENT = 1
    PROCEDURE = 2
    FILER = 3
    STATE = 4
    FILED = 5
    DECIDED = 6


Box = tuple[int, ...]
"""For each axis the set of its positions, as the bits of an int."""

_AXES = {
    Attribute.PERMIT_TYPE: Axis.PERMIT_TYPE,
    Attribute.DEPARTMENT: Axis.DEPARTMENT,
    Attribute.PROCEDURE: Axis.PROCEDURE,
    Attribute.FILER: Axis.FILER,
    Attribute.STATE: Axis.STATE,
}


class TooComplexError(ValueError):
    """A condition needs more boxes than `MOST_BOXES`."""


@dataclass(frozen=True)
class Axes:
    """The axes' positions.

    Attributes:
        values: for the axes of attributes their known values; the position after the last
            one stands for every other value, and for none.
        filed_cuts: days at which an interval of the filing date begins, in order.
        decided_cuts: days at which an interval of the day of decision begins, in order.
    """

    values: tuple[tuple[Value, ...], ...]
    filed_cuts: tuple[date, ...]
    decided_cuts: tuple[date, ...]

    @classmethod
    def of(
        cls,
        conditions: Iterable[Condition],
        *,
        permit_types: Iterable[str],
        procedures: Iterable[int],
        decided_cuts: Iterable[date],
    ) -> "Axes":
        """The axes along which all `conditions` can be told apart."""
        found = list(chain.from_iterable(map(leaves, conditions)))
        named: dict[Axis, set[Value]] = {axis: set() for axis in _AXES.values()}
        for leaf in found:
            if isinstance(leaf, OneOf) and leaf.attribute in _AXES:
                named[_AXES[leaf.attribute]] |= leaf.values
        named[Axis.PERMIT_TYPE].update(permit_types)
        named[Axis.DEPARTMENT].update(departments())
        named[Axis.PROCEDURE].update(procedures)
        named[Axis.FILER].update(Filer)
        named[Axis.STATE].update(DossierState)
        days = {
            day for leaf in found if isinstance(leaf, Filed) for day in (leaf.since, leaf.before)
        }
        return cls(
            values=tuple(tuple(sorted(named[axis], key=str)) for axis in _AXES.values()),
            filed_cuts=tuple(sorted(day for day in days if day)),
            decided_cuts=tuple(sorted(set(decided_cuts))),
        )

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many positions each axis has."""
        return (
            *(len(values) + 1 for values in self.values),
            len(self.filed_cuts) + 1,
            len(self.decided_cuts) + 1,
        )

    @cached_property
    def everything(self) -> Box:
        """The box of all cases."""
        return tuple((1 << size) - 1 for size in self.sizes)

    @cached_property
    def positions(self) -> tuple[dict[Value, int], ...]:
        """For the axes of attributes: the position of each known value."""
        return tuple({value: at for at, value in enumerate(values)} for values in self.values)

    @cached_property
    def filed_instants(self) -> tuple[datetime, ...]:
        """The instants at which the days of `filed_cuts` begin in Europe/Paris."""
        return tuple(
            datetime.combine(day, time(), PARIS).astimezone(UTC) for day in self.filed_cuts
        )

    def point(self, case: Case) -> tuple[int, ...]:
        """The positions of `case` on every axis."""
        found = (case.permit_type, case.department, case.procedure, case.filer, case.state)
        at = [
            known.get(value, len(known)) if value is not None else len(known)
            for value, known in zip(found, self.positions, strict=True)
        ]
        return (
            *at,
            bisect_right(self.filed_cuts, case.filed_on),
            bisect_right(self.decided_cuts, case.decided_on),
        )

    def boxes(self, condition: Condition, since: date | None, before: date | None) -> list[Box]:
        """`condition` as boxes, decided on a day in `[since, before)`.

        Raises:
            TooComplexError: it needs more than `MOST_BOXES`.
        """
        valid = self._only(Axis.DECIDED, _interval(self.decided_cuts, since, before))
        return _meet([valid] if valid[Axis.DECIDED] else [], self._union(condition, wanted=True))

    def _union(self, condition: Condition, *, wanted: bool) -> list[Box]:
        """The cases for which `condition` is as `wanted`; negation is pushed to the leaves."""
        match condition:
            case Not(inner):
                return self._union(inner, wanted=not wanted)
            case AllOf(parts) | AnyOf(parts):
                unions = [self._union(part, wanted=wanted) for part in parts]
                if isinstance(condition, AllOf) is wanted:
                    return self._all(unions)
                return _slim(chain.from_iterable(unions))
            case _:
                axis, positions = self._leaf(condition)
                every = self.everything[axis]
                chosen = positions if wanted else every & ~positions
                return [self._only(axis, chosen)] if chosen else []

    def _all(self, unions: Iterable[list[Box]]) -> list[Box]:
        found = [self.everything]
        for union in unions:
            found = _meet(found, union)
        return found

    def _leaf(self, leaf: OneOf | Filed) -> tuple[Axis, int]:
        if isinstance(leaf, Filed):
            return Axis.FILED, _interval(self.filed_cuts, leaf.since, leaf.before)
        if leaf.attribute is Attribute.REGION:
            return Axis.DEPARTMENT, self._set(Axis.DEPARTMENT, _in_regions(leaf.values))
        axis = _AXES[leaf.attribute]
        return axis, self._set(axis, leaf.values)

    def _set(self, axis: Axis, values: Iterable[Value]) -> int:
        known = self.positions[axis]
        return sum(1 << known[value] for value in values)

    def _only(self, axis: Axis, positions: int) -> Box:
        return (*self.everything[:axis], positions, *self.everything[axis + 1 :])


def bits(positions: int) -> Iterator[int]:
    """The positions in a set, in order."""
    while positions:
        lowest = positions & -positions
        yield lowest.bit_length() - 1
        positions ^= lowest


def intersection(one: Box, other: Box) -> Box | None:
    """The cases in both boxes, None when there are none."""
    both = tuple(a & b for a, b in zip(one, other, strict=True))
    return both if all(both) else None


def subtract(box: Box, other: Box) -> list[Box]:
    """The cases of `box` that are not in `other`, as disjoint boxes."""
    if intersection(box, other) is None:
        return [box]
    rest: list[Box] = []
    core = box
    for axis, theirs in enumerate(other):
        if outside := core[axis] & ~theirs:
            rest.append((*core[:axis], outside, *core[axis + 1 :]))
            core = (*core[:axis], core[axis] & theirs, *core[axis + 1 :])
    return rest


def _interval(cuts: Sequence[date], since: date | None, before: date | None) -> int:
    """The intervals between `cuts` that lie in `[since, before)`; both are among the cuts."""
    first = 0 if since is None else bisect_right(cuts, since)
    end = len(cuts) + 1 if before is None else bisect_right(cuts, before)
    return sum(1 << at for at in range(first, end))


def _in_regions(names: Iterable[Value]) -> list[str]:
    wanted = set(names)
    return [d.code for d in departments().values() if regions()[d.region].name in wanted]


def _meet(one: list[Box], other: list[Box]) -> list[Box]:
    if len(one) * len(other) > _MOST_PAIRS:
        raise TooComplexError
    met = (intersection(a, b) for a, b in product(one, other))
    return _slim(box for box in met if box)


def _slim(boxes: Iterable[Box]) -> list[Box]:
    """`boxes` without repetitions."""
    found = list(dict.fromkeys(boxes))
    if len(found) > MOST_BOXES:
        raise TooComplexError
    return found
