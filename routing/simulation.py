"""What another rule set would change: over dossiers that are known, and over all that can come."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from routing.case_classes import CaseClass, case_classes, from_day
from routing.facts import Facts
from routing.ruleset import Outcome, RuleSet


@dataclass(frozen=True, slots=True)
class Change:
    """From one outcome to another."""

    before: Outcome
    after: Outcome

    @property
    def moves(self) -> bool:
        """Whether the dossier goes elsewhere, or stops or begins to be unrouted."""
        before, after = self.before, self.after
        return (set(before.units), before.routed) != (set(after.units), after.routed)

    @property
    def tells_otherwise(self) -> bool:
        """Whether the same units are told in another way, or others for information."""
        before, after = self.before, self.after
        return (set(before.inform), before.notify) != (set(after.inform), after.notify)


class PriorDecision(NamedTuple):
    """A dossier that is known, and who has it now and by which rule."""

    facts: Facts
    now: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierMove:
    """Dossiers that a change concerns.

    Attributes:
        change: from what to what.
        open: (procedure, number) of those that re-routing moves: they have not ended.
        ended: how many more there are, which stay where they are.
    """

    change: Change
    open: tuple[tuple[int, int], ...]
    ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMove:
    """Kinds of case that a change sends elsewhere, or tells otherwise.

    Attributes:
        change: from what to what.
        classes: the cases.
    """

    change: Change
    classes: tuple[CaseClass, ...]

    @property
    def cells(self) -> int:
        """How many combinations of département, permit type and filer are concerned."""
        return len({(c.department, c.permit_type, c.filer) for c in self.classes})

    @property
    def first_day(self) -> date | None:
        """The first day of decision on which it is so."""
        return min((c.decided.since for c in self.classes if c.decided.since), default=None)


def dossier_moves(after: RuleSet, known: Iterable[PriorDecision], on: date) -> list[DossierMove]:
    """Which dossiers would go elsewhere if they were decided again, on the day `on`.

    `known` is read once and not kept: it may be a stream.
    """
    found: dict[Change, list[Facts]] = defaultdict(list)
    for facts, now in known:
        change = Change(now, after.outcome(facts, on))
        if change.moves:
            found[change].append(facts)
    return [_dossier_move(change, found[change]) for change in sorted(found, key=_order)]


def _dossier_move(change: Change, moved: list[Facts]) -> DossierMove:
    still_open = [(each.procedure, each.number) for each in moved if not each.state.ended]
    return DossierMove(
        change=change, open=tuple(sorted(still_open)), ended=len(moved) - len(still_open)
    )


def case_moves(before: RuleSet, after: RuleSet, on: date) -> list[CaseMove]:
    """Which cases, of all that can occur from the day `on`, would be sent or told otherwise."""
    found: dict[Change, list[CaseClass]] = defaultdict(list)
    both = [before, after]
    for case_class in case_classes(both, decided=from_day(both, on)):
        one = case_class.representative
        change = Change(before.outcome_of(one), after.outcome_of(one))
        if change.moves or change.tells_otherwise:
            found[change].append(case_class)
    return [
        CaseMove(change=change, classes=tuple(found[change]))
        for change in sorted(found, key=_order)
    ]


def _order(change: Change) -> tuple[object, ...]:
    before, after = change.before, change.after
    rules = (before.rule or "", after.rule or "")
    told = (before.inform, after.inform, before.notify or "", after.notify or "")
    return before.units, after.units, *rules, before.reasons, *told
