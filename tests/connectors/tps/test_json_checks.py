"""Readers of parsed JSON insist on what the protocol promises."""

import pytest

from connectors.tps.errors import MalformedReason
from connectors.tps.json_checks import (
    MalformedJson,
    a_list,
    an_object,
    whole_number,
)
from routing.facts import LARGEST_NUMBER


def test_an_object_and_a_list_are_what_they_are() -> None:
    assert an_object({"a": 1}, MalformedReason.ROOT) == {"a": 1}
    assert a_list([1], MalformedReason.DOSSIERS) == [1]


@pytest.mark.parametrize("value", [None, "canari", 7, True])
def test_anything_else_breaks_the_promise_and_is_not_repeated(value: object) -> None:
    for check in (an_object, a_list):
        with pytest.raises(MalformedJson) as caught:
            check(value, MalformedReason.DOSSIER)
        assert str(caught.value) == MalformedReason.DOSSIER.value


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1),
        (LARGEST_NUMBER, LARGEST_NUMBER),
        (LARGEST_NUMBER + 1, None),
        (0, None),
        (-7, None),
        (True, None),
        ("7", None),
        (7.0, None),
        (None, None),
    ],
)
def test_a_number_is_positive_whole_and_can_be_stored(value: object, number: int | None) -> None:
    assert whole_number(value) == number
