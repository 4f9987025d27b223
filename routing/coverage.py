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
class CellOutcome:
    """What happens in a cell, and in which of its case_class.

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
        outcomes: one when the cell's cases all go the same way, as they ordinarily do.
        brought_in: a configured procedure can bring such a dossier in.
    """

    department: str | None
    permit_type: str | None
    filer: Filer
    outcomes: tuple[CellOutcome, ...]
    brought_in: bool

    @property
    def depends_on(self) -> frozenset[Axis]:
        """What the outcome depends on, of procedure, state and day of deposit."""
        classes = [one for each in self.outcomes for one in each.classes]
        if len(self.outcomes) == 1:
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
        return all(each.outcome.routed for each in self.outcomes)


def coverage(rules: RuleSet, on: date) -> Iterator[Cell]:
    """Every cell, for dossiers decided on the day `on`: by permit type, filer and département."""
    day = Interval(on, on + timedelta(days=1))
    cells: dict[CellKey, dict[Outcome, list[CaseClass]]] = defaultdict(lambda: defaultdict(list))
    for case_class in case_classes([rules], decided=[day], hypothetical=True):
        outcome = rules.outcome_of(case_class.representative)
        cells[case_class.department, case_class.permit_type, case_class.filer][outcome].append(
            case_class
        )
    for (department, permit_type, filer), outcomes in cells.items():
        yield Cell(
            department=department,
            permit_type=permit_type,
            filer=filer,
            outcomes=tuple(
                CellOutcome(outcome=outcome, classes=tuple(classes))
                for outcome, classes in outcomes.items()
            ),
            brought_in=any(
                case_class.procedures != (UNLISTED,)
                for classes in outcomes.values()
                for case_class in classes
            ),
        )
