"""Finding the few fields that routing reads among the `champs` of a dossier.

Ids changed meaning once and `order_place` is -1 in recent servers, so a field goes by
its label, compared normalised, or by an id given in the configuration.
"""

from collections.abc import Iterator
from functools import lru_cache

import orjson

from connectors.tps.errors import Defect
from connectors.tps.shape import Broken, a_list
from routing.forms import Field, Form
from routing.text import normalise

SEPARATOR = "; "
"""Between several values of one field: no département is read from two, and no phrase spans it."""

_DIGITS = {Field.RESIDENCE_POSTAL_CODE: 5, Field.RESIDENCE_PERMIT_DEPARTMENT: 2}
"""A field of type number loses its leading zeros: `01000` arrives as 1000."""

_folded_label = lru_cache(maxsize=4096)(normalise)
"""Labels belong to forms, not to persons, and come again with every dossier."""


def read_fields(champs: object, form: Form) -> dict[Field, str]:
    """What stands in each field of `form` that the dossier has.

    A field that stands there several times, or has several choices, has all its
    different values, in alphabetical order because TPS promises none.

    Raises:
        Broken: when an entry is not what the protocol promises.
    """
    by_label = {label: field for field, texts in form.labels.items() for label in _folded(texts)}
    by_id = {wanted: field for field, wanted in form.field_ids.items()}
    labelled: dict[Field, list[str]] = {}
    identified: dict[Field, list[str]] = {}
    for entry in a_list(champs, Defect.FIELDS):
        number, label, value = _parts(entry)
        if field := by_id.get(number):
            identified.setdefault(field, []).extend(_texts(value, field))
        elif field := by_label.get(_folded_label(label)):
            labelled.setdefault(field, []).extend(_texts(value, field))
    return {field: _one(texts) for field, texts in (labelled | identified).items()}


def _parts(entry: object) -> tuple[str, str, object]:
    """The id of a field (a number, or the text that newer servers give), its label, its value."""
    if not isinstance(entry, dict):
        raise Broken(Defect.FIELDS)
    kind = entry.get("type_de_champ")
    if not isinstance(kind, dict):
        raise Broken(Defect.FIELD)
    number, label = kind.get("id"), kind.get("libelle")
    if not isinstance(label, str):
        raise Broken(Defect.FIELD)
    return str(number) if isinstance(number, (int, str)) else "", label, entry.get("value")


@lru_cache(maxsize=1024)
def _folded(labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(normalise, labels))


def _one(texts: list[str]) -> str:
    """The value of a field: all that are different, where there are several."""
    if len(texts) == 1:
        return texts[0]
    different = {normalise(text): text for text in texts}
    return SEPARATOR.join(different[key] for key in sorted(different) if key)


def _texts(value: object, field: Field) -> Iterator[str]:
    """A value as texts.

    Raises:
        Broken: when it is neither text, a whole number, null nor a list of those.
    """
    for choice in _choices(value):
        if isinstance(choice, int) and not isinstance(choice, bool):
            yield str(choice).zfill(_DIGITS.get(field, 0))
        elif isinstance(choice, str):
            yield choice
        elif choice is not None:
            raise Broken(Defect.VALUE)


def _choices(value: object) -> list[object]:
    """The choices of a value: multiple choice is a JSON list inside a string."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return [value]
    return value if isinstance(value, list) else [value]
