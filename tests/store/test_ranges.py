"""Ids as text: one way to write each set, and no other is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.ranges import compress, expand


@given(st.sets(st.integers(0, 60) | st.integers(10**17, 10**17 + 5)))
def test_what_is_written_is_read_back(ids: set[int]) -> None:
    assert expand(compress(sorted(ids)), most=len(ids)) == sorted(ids)


@given(st.text("0123456789-, ", max_size=12))
def test_what_is_read_has_one_way_to_be_written(text: str) -> None:
    try:
        ids = expand(text, most=1_000)
    except ValueError:
        return
    assert compress(ids) == text


def test_an_order_that_is_not_ascending_shows() -> None:
    assert compress([1, 3, 2]) == "1,3,2"
    with pytest.raises(ValueError, match="not ascending"):
        expand("1,3,2", most=3)


def test_no_text_names_more_ids_than_there_can_be() -> None:
    with pytest.raises(ValueError, match="more ids"):
        expand("1-9000000000000000000", most=10)
