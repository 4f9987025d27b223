"""Boxes: the same meaning as the condition they are made from, and exact differences."""

from datetime import date
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.boxes import Axes, Box, TooComplexError, bits, intersection, subtract
from routing.conditions import ALWAYS, AllOf, AnyOf, Case, Condition, Not, holds, leaves
from routing.facts import Filer
from tests.routing.rule_sets import DAYS, PERMITS, PROCEDURES, cases, conditions, ends, is_in


def _axes(condition: Condition) -> Axes:
    return Axes.of([condition], permit_types=PERMITS, procedures=PROCEDURES, decided_cuts=DAYS)


def _within(point: tuple[int, ...], box: Box) -> bool:
    return all(positions >> at & 1 for at, positions in zip(point, box, strict=True))


@given(conditions, ends, ends, st.lists(cases, min_size=1, max_size=20))
def test_boxes_hold_what_the_condition_holds_for(
    condition: Condition, since: date | None, before: date | None, tried: list[Case]
) -> None:
    axes = _axes(condition)
    boxes = axes.boxes(condition, since, before)
    for case in tried:
        valid = (since is None or since <= case.decided_on) and (
            before is None or case.decided_on < before
        )
        inside = any(_within(axes.point(case), box) for box in boxes)
        assert inside is (valid and holds(condition, case))


boxes = st.tuples(*[st.integers(1, 7)] * 3)


@given(boxes, boxes)
def test_subtraction_is_exact_and_its_pieces_are_disjoint(one: Box, other: Box) -> None:
    rest = subtract(one, other)

    for point in product(range(3), repeat=3):
        inside = [_within(point, piece) for piece in rest]
        assert sum(inside) == (_within(point, one) and not _within(point, other))
    assert all(intersection(a, b) is None for a, b in pairwise(rest))


def test_bits_are_the_positions_in_order() -> None:
    assert list(bits(0b10110)) == [1, 2, 4]


def test_a_condition_nobody_could_follow_is_refused() -> None:
    scattered = [
        AnyOf((Not(is_in("department", f"{n}")), Not(is_in("procedure", n)))) for n in range(21, 40)
    ]
    condition = AllOf(tuple(scattered))
    axes = Axes.of([condition], permit_types=(), procedures=(), decided_cuts=())

    with pytest.raises(TooComplexError):
        axes.boxes(condition, None, None)


def test_everything_is_one_box_and_its_contrary_none() -> None:
    axes = _axes(ALWAYS)

    assert axes.boxes(ALWAYS, None, None) == [axes.everything]
    assert axes.boxes(Not(ALWAYS), None, None) == []


def test_leaves_come_from_left_to_right() -> None:
    first, second = is_in("filer", Filer.STUDENT), is_in("department", "75")

    assert list(leaves(AnyOf((Not(first), AllOf((second,)))))) == [first, second]
