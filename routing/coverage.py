"""The matrix of département, permit type and filer: who gets what, with nothing left out."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from routing.boxes import Axis
from routing.case_classes import UNLISTED, CaseClass, Interval, case_classes
from routing.facts import Filer
from routing.ruleset import Outcome, RuleSet

CellKey = tuple[str | None, str | None, Filer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What happens in a cell, and in which of its cases.

    Attributes:
        outcome: who gets the dossier.
        classes: the cases in which that is so.
    """

    outcome: Outcome
    classes: tuple[CaseClass, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of the matrix.

    Attributes:
        department: code, None for unknown.
        permit_type: code, None for unknown.
        filer: who files.
        answers: one when the cell's cases all go the same way, as they ordinarily do.
        brought_in: a configured procedure can bring such a dossier in.
    """

    department: str | None
    permit_type: str | None
    filer: Filer
    answers: tuple[Answer, ...]
    brought_in: bool

    @property
    def depends_on(self) -> frozenset[Axis]:
        """What the answer depends on, of procedure, state and day of deposit."""
        classes = [one for answer in self.answers for one in answer.classes]
        if len(self.answers) == 1:
            return frozenset()
        told_apart: dict[Axis, set[Any]] = {
            Axis.PROCEDURE: {one.procedures for one in classes},
            Axis.STATE: {one.states for one in classes},
            Axis.FILED: {one.filed for one in classes},
        }
        return frozenset(axis for axis, values in told_apart.items() if len(values) > 1)

    @property
    def routed(self) -> bool:
        """Whether every case of the cell has a competent unit."""
        return all(answer.outcome.routed for answer in self.answers)


def coverage(rules: RuleSet, on: date) -> Iterator[Cell]:
    """Every cell, for dossiers decided on the day `on`: by permit type, filer and département."""
    day = Interval(on, on + timedelta(days=1))
    cells: dict[CellKey, dict[Outcome, list[CaseClass]]] = defaultdict(lambda: defaultdict(list))
    for cases in case_classes([rules], decided=[day], hypothetical=True):
        outcome = rules.outcome_of(cases.representative)
        cells[cases.department, cases.permit_type, cases.filer][outcome].append(cases)
    for (department, permit_type, filer), answers in cells.items():
        yield Cell(
            department=department,
            permit_type=permit_type,
            filer=filer,
            answers=tuple(
                Answer(outcome=outcome, classes=tuple(classes))
                for outcome, classes in answers.items()
            ),
            brought_in=any(
                cases.procedures != (UNLISTED,) for classes in answers.values() for cases in classes
            ),
        )
