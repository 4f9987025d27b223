"""Finding the few fields that routing reads among the `champs` of a dossier.

Ids changed meaning once and `order_place` is -1 in recent servers, so a field goes by
its label, compared normalised, or by an id given in the configuration.
"""

from collections.abc import Mapping
from functools import lru_cache

from connectors.tps.errors import MalformedReason
from connectors.tps.json_checks import MalformedJson, a_list, an_object
from connectors.tps.values import joined, texts
from routing.forms import Field, Form
from routing.text import normalise

Labels = tuple[tuple[Field, tuple[str, ...]], ...]
"""The labels of each field of a form."""

MOST_LABELS = 4096
"""Of a form: what TPS sends must not fill the memory."""


def read_fields(champs: object, form: Form) -> dict[Field, str]:
    """What stands in each field of `form` that the dossier has.

    A field that stands there several times, or has several choices, has all its
    different values, in alphabetical order because TPS promises none.

    Raises:
        MalformedJson: when an entry is not what the protocol promises.
    """
    by_label = _labels(tuple(form.labels.items()))
    by_id = {wanted: field for field, wanted in form.field_ids.items()}
    labelled: dict[Field, list[str]] = {}
    identified: dict[Field, list[str]] = {}
    for each in a_list(champs, MalformedReason.FIELDS):
        entry = an_object(each, MalformedReason.FIELDS)
        kind = an_object(entry.get("type_de_champ"), MalformedReason.FIELD)
        label = kind.get("libelle")
        if not isinstance(label, str):
            raise MalformedJson(MalformedReason.FIELD)
        if by_id and (field := by_id.get(_id(kind))):
            identified.setdefault(field, []).extend(texts(entry.get("value"), field))
        elif field := by_label[label]:
            labelled.setdefault(field, []).extend(texts(entry.get("value"), field))
    return {field: joined(found) for field, found in (labelled | identified).items()}


def _id(kind: Mapping[str, object]) -> str:
    """The id of a field: a number, or the text that newer servers give."""
    number = kind.get("id")
    return str(number) if isinstance(number, (int, str)) else ""


class _Labels(dict[str, Field | None]):
    """The field that goes by a label, spelt as it may be.

    Labels belong to forms, not to persons, and come again with every dossier: each
    spelling is compared once.
    """

    def __init__(self, labels: Labels) -> None:
        super().__init__()
        self._folded = {normalise(text): field for field, texts in labels for text in texts}

    def __missing__(self, label: str) -> Field | None:
        field = self._folded.get(normalise(label))
        if len(self) < MOST_LABELS:
            self[label] = field
        return field


_labels = lru_cache(maxsize=1024)(_Labels)
