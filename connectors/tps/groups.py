"""The *groupes d'instructeurs* of TPS: those of a form, and the one that has a dossier.

A group belongs to one form, so an office has another one, with another number, in each; what is
the same everywhere is the label that administrators give it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from routing.text import normalise


@dataclass(frozen=True, slots=True)
class Group:
    """An open group of a form.

    Attributes:
        id: opaque; what a dossier is moved by.
        number: what it is known by.
        label: its name, as administrators of the form wrote it.
    """

    id: str
    number: int
    label: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A dossier and the group that has it: its opaque id, and the number of the group."""

    id: str
    group: int


def named(groups: Iterable[Group], label: str) -> Group | None:
    """The group of that label, in any spelling; None where there is none, or several."""
    wanted = normalise(label)
    found = [group for group in groups if normalise(group.label) == wanted]
    return found[0] if len(found) == 1 else None
