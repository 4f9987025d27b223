"""Where the form that people fill in has the fields that routing reads, as TPS says it."""

from dataclasses import dataclass
from enum import StrEnum

from routing.forms import Field


class FieldMismatch(StrEnum):
    """Why a field that routing reads cannot be told among those of a form."""

    MISSING = "missing"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A field that routing reads.

    Attributes:
        field: which one.
        labels: by which the configuration knows it.
        label: under which it stands on the form, None while it cannot be told.
        id: by which TPS knows it, None while it cannot be told.
        mismatch: why it cannot be told, None when it can.
        likely: labels of the form that may be its new one, the likeliest first.
    """

    field: Field
    labels: tuple[str, ...]
    label: str | None
    id: str | None
    mismatch: FieldMismatch | None = None
    likely: tuple[str, ...] = ()
