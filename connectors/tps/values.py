"""Values of fields as text, whatever the version: one value, several choices, or none."""

from collections.abc import Iterator, Sequence

import orjson

from connectors.tps.errors import MalformedReason
from connectors.tps.json_checks import MalformedJson
from routing.forms import Field
from routing.text import normalise

SEPARATOR = "; "
"""Between several values of one field: no département is read from two, and no phrase spans it."""

_DIGITS = {Field.RESIDENCE_POSTAL_CODE: 5, Field.RESIDENCE_PERMIT_DEPARTMENT: 2}
"""A field of type number loses its leading zeros: `01000` arrives as 1000."""


def texts(value: object, field: Field) -> Iterator[str]:
    """A value as texts; multiple choice is a list, or a JSON list inside a string.

    Raises:
        MalformedJson: it is neither text, a whole number, null nor a list of those.
    """
    for choice in _choices(value):
        if isinstance(choice, int) and not isinstance(choice, bool):
            yield str(choice).zfill(_DIGITS.get(field, 0))
        elif isinstance(choice, str):
            yield choice
        elif choice is not None:
            raise MalformedJson(MalformedReason.VALUE)


def joined(found: Sequence[str]) -> str:
    """The value of a field: all that are different, in alphabetical order, if there are several."""
    if len(found) == 1:
        return found[0]
    different = {normalise(text): text for text in found}
    return SEPARATOR.join(different[key] for key in sorted(different) if key)


def _choices(value: object) -> list[object]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return [value]
    return value if isinstance(value, list) else [value]
