"""A hint of the old kind: a form with the numbers of a procedure and of a dossier."""

from urllib.parse import parse_qs

from routing.facts import LARGEST_NUMBER, LARGEST_PROCEDURE
from store.hints import FORM, Tip

MOST_FIELDS = 20
LONGEST_NUMBER = 19


class MalformedHint(Exception):
    """A request that hints at nothing that can exist."""


def parse(body: bytes) -> Tip:
    """What a form hints at; its state and date are not looked at.

    Raises:
        MalformedHint: it does not name one procedure and one dossier.
    """
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=MOST_FIELDS, strict_parsing=True)
    except ValueError:
        raise MalformedHint from None
    procedure = _number(fields.get("procedure_id"), LARGEST_PROCEDURE)
    number = _number(fields.get("dossier_id"), LARGEST_NUMBER)
    return Tip(procedure=procedure, source=FORM, numbers=frozenset({number}))


def _number(values: list[str] | None, largest: int) -> int:
    text = values[0] if values and len(values) == 1 else ""
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise MalformedHint
    if not 0 < int(text) <= largest:
        raise MalformedHint
    return int(text)
