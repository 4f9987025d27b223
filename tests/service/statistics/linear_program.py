"""Somebody who knows all that is published and how tables add up, and solves for the rest.

A linear program over exact fractions, by the simplex method. It shares nothing with the code
that decides what is published.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf

Number = int | Fraction
Terms = Mapping[Hashable, int]


@dataclass
class Knowledge:
    """Equations and inequalities about counts, none of which is below zero."""

    equations: list[tuple[dict[Hashable, int], int]] = field(default_factory=list)
    slacks: int = 0

    def equal(self, terms: Terms, value: int) -> None:
        """The sum of `terms` is `value`."""
        self.equations.append((dict(terms), value))

    def at_most(self, terms: Terms, value: int) -> None:
        """The sum of `terms` is `value` or less."""
        self.slacks += 1
        self.equal({**terms, ("slack", self.slacks): 1}, value)

    def at_least(self, terms: Terms, value: int) -> None:
        """The sum of `terms` is `value` or more."""
        self.slacks += 1
        self.equal({**terms, ("slack", self.slacks): -1}, value)

    def sums(self, total: Hashable, parts: Iterable[Hashable]) -> None:
        """A count is the sum of others."""
        self.equal({total: -1, **dict.fromkeys(parts, 1)}, 0)

    def solve(self) -> "Solution":
        """Find counts that agree with everything."""
        return Solution(self.equations)


class Solution:
    """Counts that agree with all that is known, from which others are looked for."""

    def __init__(self, equations: Sequence[tuple[Terms, int]]) -> None:
        names = dict.fromkeys(name for terms, _ in equations for name in terms)
        self._place = {name: at for at, name in enumerate(names)}
        width = len(self._place)
        self._rows = [_row(terms, value, self._place) for terms, value in equations]
        self._basis = list(range(width, width + len(self._rows)))
        # The rows stand for their own slack at first: all of it has to go.
        missing: list[Number] = [sum(column) for column in zip(*self._rows, strict=True)]
        _maximise(self._rows, self._basis, missing, width)
        assert missing[-1] == 0, "what is published contradicts itself"
        self._drop_redundant(width)

    def _drop_redundant(self, width: int) -> None:
        for at in range(len(self._rows)):
            if self._basis[at] < width:
                continue
            column = next((c for c in range(width) if self._rows[at][c]), None)
            if column is not None:
                _pivot(self._rows, at, column)
                self._basis[at] = column
        kept = [at for at, base in enumerate(self._basis) if base < width]
        self._rows = [self._rows[at] for at in kept]
        self._basis = [self._basis[at] for at in kept]

    def interval(self, cell: Hashable) -> tuple[Number | float, Number | float]:
        """The lowest and the highest value that a count can have."""
        return -self._highest(cell, -1), self._highest(cell, 1)

    def _highest(self, cell: Hashable, factor: int) -> Number | float:
        rows, basis = [list(row) for row in self._rows], list(self._basis)
        gain: list[Number] = [0] * (len(self._place) + 1)
        gain[self._place[cell]] = factor
        for row, base in zip(rows, basis, strict=True):
            _subtract(gain, row, gain[base])
        bounded = _maximise(rows, basis, gain, len(self._place))
        return -gain[-1] if bounded else inf


def _row(terms: Terms, value: int, place: Mapping[Hashable, int]) -> list[Number]:
    sign = -1 if value < 0 else 1
    row: list[Number] = [0] * (len(place) + 1)
    for name, factor in terms.items():
        row[place[name]] = sign * factor
    row[-1] = sign * value
    return row


def _maximise(rows: list[list[Number]], basis: list[int], gain: list[Number], usable: int) -> bool:
    """Bland's rule; `gain` ends with what is left to gain. False when there is no end to it."""
    while (entering := next((at for at in range(usable) if gain[at] > 0), None)) is not None:
        ratios = [
            (Fraction(row[-1]) / row[entering], basis[at], at)
            for at, row in enumerate(rows)
            if row[entering] > 0
        ]
        if not ratios:
            return False
        leaving = min(ratios)[2]
        _pivot(rows, leaving, entering)
        basis[leaving] = entering
        _subtract(gain, rows[leaving], gain[entering])
    return True


def _pivot(rows: list[list[Number]], at: int, column: int) -> None:
    by = rows[at][column]
    if by != 1:
        rows[at] = [_plain(Fraction(value) / by) if value else 0 for value in rows[at]]
    for other, row in enumerate(rows):
        if other != at and row[column]:
            _subtract(row, rows[at], row[column])


def _subtract(row: list[Number], other: Sequence[Number], factor: Number) -> None:
    if factor:
        for at, value in enumerate(other):
            if value:
                row[at] -= factor * value


def _plain(value: Fraction) -> Number:
    return value.numerator if value.denominator == 1 else value
