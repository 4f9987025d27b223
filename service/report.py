"""Counts of what batches did, which add up."""

from dataclasses import fields, replace
from typing import Any, Self


class Totals:
    """A base for dataclasses of counts.

    `a + b` has the sums of their numbers; of other values it has those of `b`, or of `a` where
    `b` has None.
    """

    def __add__(self, other: Self) -> Self:
        names = [each.name for each in fields(self)]  # type: ignore[arg-type]
        added = {name: _added(getattr(self, name), getattr(other, name)) for name in names}
        return replace(self, **added)  # type: ignore[type-var]


def _added(first: Any, second: Any) -> Any:  # noqa: ANN401
    if isinstance(first, int) and not isinstance(first, bool):
        return first + second
    return first if second is None else second
