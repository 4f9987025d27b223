"""The forms of the simulated TPS."""

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from routing.territory import communes, departments

STUDENT = "apt-etudiant"
INTRODUCTION = "introduction-salarie"
CHANGE_OF_STATUS = "changement-statut"

FIRST_SAMPLE = 100_001
"""Id of the first form of `sample_forms`; no public procedure of Work In France is near."""


class FormLike(Protocol):
    """What the simulator needs to know of a form; `routing.forms.Form` says as much."""

    @property
    def procedure(self) -> int: ...

    @property
    def department(self) -> str | None: ...

    @property
    def kind(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SimulatedForm:
    """A form of the simulated TPS.

    Attributes:
        procedure: its id.
        department: code of the département whose form it is, None for a national one.
        kind: its kind, as in the configuration of the service.
    """

    procedure: int
    department: str | None
    kind: str = STUDENT


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A commune where a person lives or works."""

    department: str
    commune: str
    postal_code: str
    insee: str


@cache
def places() -> dict[str, tuple[FieldPath, ...]]:
    """Communes of every département that has any, in the order of their postal codes."""
    found: dict[str, list[FieldPath]] = {code: [] for code in departments()}
    for postal_code, here in communes().items():
        for each in here:
            found[each.department].append(
                FieldPath(each.department, each.name, postal_code, each.insee)
            )
    return {code: tuple(each) for code, each in found.items() if each}


def sample_forms() -> tuple[SimulatedForm, ...]:
    """One student form for each département with inhabitants, then Paris's for workers abroad."""
    students = [
        SimulatedForm(FIRST_SAMPLE + index, department) for index, department in enumerate(places())
    ]
    last = SimulatedForm(FIRST_SAMPLE + len(students), "75", INTRODUCTION)
    return (*students, last)
