"""Which cells are hidden: what is small, and just enough of the rest."""

import pytest

from service.statistics.durations import Bounds, durations
from service.statistics.suppression import (
    ALL,
    Shown,
    Split,
    shown_decisions,
    shown_requests,
    with_totals,
)


def test_a_table_without_small_cells_is_shown_whole() -> None:
    inner = {(place, kind): 10 for place in ("13", "75") for kind in ("a", "b")}
    assert shown_requests(inner) == with_totals(inner)


def test_a_small_cell_takes_three_others_with_it_and_leaves_the_totals() -> None:
    inner = {(place, kind): 10 for place in ("13", "69", "75") for kind in ("a", "b", "c")}
    inner["75", "c"] = 2
    shown = shown_requests(inner)
    hidden = inner.keys() - shown.keys()
    assert ("75", "c") in hidden
    assert len(hidden) == 4
    assert {(ALL, ALL), ("75", ALL), (ALL, "c")} <= shown.keys()


def test_nothing_is_shown_of_fewer_than_five() -> None:
    assert shown_requests({("75", "a"): 4, ("13", "a"): 0}) == {}


def row(on_time: int, late: int) -> Split:
    total = on_time + late
    return Split(total=total, late=late, told=Bounds(0, total))


def test_a_share_is_shown_only_where_both_sides_of_it_are_large() -> None:
    rows = {"13": row(20, 20), "69": row(40, 3), "75": row(20, 30), "93": row(30, 20)}
    shown = shown_decisions(rows, row(110, 73))
    assert shown.totals == set(rows)
    assert "69" not in shown.late
    assert len(shown.late) == 2


def test_where_nearly_nobody_waited_no_share_is_shown_but_every_duration() -> None:
    rows = {"13": row(40, 1), "75": row(60, 2)}
    shown = shown_decisions(rows, row(100, 3))
    assert shown == Shown(frozenset(rows), frozenset(), frozenset(rows))


@pytest.mark.parametrize(
    ("by_days", "median", "p90"),
    [
        ({1: 10}, None, None),
        ({1: 6, 8: 5}, 1, None),
        ({1: 5, 8: 6}, 8, None),
        ({0: 20, 3: 24, 9: 6}, 3, 9),
        ({0: 45, 9: 5}, 0, 0),
    ],
)
def test_a_quantile_needs_five_decisions_on_either_side(
    by_days: dict[int, int], median: int | None, p90: int | None
) -> None:
    found = durations(by_days)
    assert (found.median, found.p90) == (median, p90)
