"""Values of fields as text: one, several, with the zeros that numbers lose, or none."""

import pytest

from connectors.tps.json_checks import MalformedJson
from connectors.tps.values import joined, texts
from routing.forms import Field

POSTAL_CODE, PERMIT, CONTRACT = (
    Field.RESIDENCE_POSTAL_CODE,
    Field.RESIDENCE_PERMIT_DEPARTMENT,
    Field.CONTRACT_TYPE,
)


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        (1000, POSTAL_CODE, ["01000"]),
        (1, PERMIT, ["01"]),
        (75, PERMIT, ["75"]),
        (7, CONTRACT, ["7"]),
        ("CDI", CONTRACT, ["CDI"]),
        (["CDI", "CDD"], CONTRACT, ["CDI", "CDD"]),
        ('["CDI", "CDD"]', CONTRACT, ["CDI", "CDD"]),
        ("[CDI", CONTRACT, ["[CDI"]),
        (None, CONTRACT, []),
        ([None, "CDI"], CONTRACT, ["CDI"]),
        ([], CONTRACT, []),
    ],
)
def test_a_value_is_read_as_texts(value: object, field: Field, expected: list[str]) -> None:
    assert list(texts(value, field)) == expected


@pytest.mark.parametrize("value", [True, 1.5, {"a": 1}, ["CDI", ["CDD"]]])
def test_what_is_no_text_is_malformed(value: object) -> None:
    with pytest.raises(MalformedJson):
        list(texts(value, CONTRACT))


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (["  CDI "], "  CDI "),
        (["cdi", "CDI"], "CDI"),
        (["CDI", "Apprentissage", ""], "Apprentissage; CDI"),
        ([], ""),
    ],
)
def test_several_values_are_joined_once_each_in_order(found: list[str], value: str) -> None:
    assert joined(found) == value
