"""Median and 90th percentile from counts of dossiers by working days."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from service.statistics.working_days import TARGET

MEDIAN_FROM = 11
"""Decisions from which on a median is published: five lie on either side of it."""

P90_FROM = 50
"""Decisions from which on a 90th percentile is published: five lie above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """What is said of how long decisions took, in working days; None where they are too few."""

    median: int | None
    p90: int | None


def durations(by_days: Mapping[int, int]) -> Durations:
    """Both quantiles, each where there are enough decisions for it.

    Args:
        by_days: decisions by the working days that they took.
    """
    total = sum(by_days.values())
    return Durations(
        median=_at(by_days, _rank(total, 50)) if total >= MEDIAN_FROM else None,
        p90=_at(by_days, _rank(total, 90)) if total >= P90_FROM else None,
    )


def whole_durations(by_days: Mapping[int, int]) -> Durations:
    """Both quantiles of decisions that stay where they were taken: None only without any.

    Args:
        by_days: decisions by the working days that they took.
    """
    total = sum(by_days.values())
    if not total:
        return Durations(median=None, p90=None)
    return Durations(median=_at(by_days, _rank(total, 50)), p90=_at(by_days, _rank(total, 90)))


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many decisions were on time at least and at most, as published quantiles tell."""

    least: int
    most: int


def told_by(found: Durations, total: int) -> Bounds:
    """What the quantiles of `total` decisions tell of those within the target."""
    least, most = 0, total
    for value, percent in ((found.median, 50), (found.p90, 90)):
        if value is None:
            continue
        if value <= TARGET:
            least = max(least, _rank(total, percent))
        else:
            most = min(most, _rank(total, percent) - 1)
    return Bounds(least, most)


def _rank(total: int, percent: int) -> int:
    """The place of a percentile among `total` values, from 1 (nearest rank)."""
    return ceil(total * percent / 100)


def _at(by_days: Mapping[int, int], rank: int) -> int:
    passed = 0
    for days in sorted(by_days):
        passed += by_days[days]
        if passed >= rank:
            return days
    raise ValueError("there are fewer values than that")
