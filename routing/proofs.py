"""Proofs about rules: which one can never be reached, and which ones stand before it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from routing.boxes import Box, bits, intersection, subtract
from routing.case_classes import possible
from routing.ruleset import RuleIndex, RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """A rule that decides nothing.

    Attributes:
        rule: its id.
        contradictory: nothing at all satisfies its condition, whatever the configuration.
        shadowed_by: ids of the earlier rules that take everything it could match, as few
            as are needed; empty when no case that can occur matches it in the first place.
        duplicate: its condition is the same as that of the one rule that shadows it.
    """

    rule: str
    contradictory: bool
    shadowed_by: tuple[str, ...]
    duplicate: bool = False


def unreachable(rules: RuleSet) -> Iterator[Unreachable]:
    """Every rule that no case that can occur reaches, in order."""
    can_occur = possible(rules)
    boxes: list[list[Box]] = [[] for _ in rules.rules]
    for owner, box in zip(rules.index.owners, rules.index.boxes, strict=True):
        boxes[owner].append(box)
    for at, rule in enumerate(rules.rules):
        matched = [both for box in boxes[at] for c in can_occur if (both := intersection(box, c))]
        earlier = {n: boxes[n] for n in _touching(rules.index, matched) if n < at}
        if not _rest(matched, earlier.values()):
            shadows = _fewest(matched, earlier) if matched else {}
            yield Unreachable(
                rule=rule.id,
                contradictory=not boxes[at],
                shadowed_by=tuple(rules.rules[n].id for n in shadows),
                duplicate=len(shadows) == 1 and _same(boxes[at], *shadows.values()),
            )


def _same(some: list[Box], others: list[Box]) -> bool:
    return not _rest(some, [others]) and not _rest(others, [some])


def _touching(index: RuleIndex, boxes: Iterable[Box]) -> list[int]:
    """The rules that match some case of `boxes`, in order."""
    return sorted({index.owners[at] for box in boxes for at in bits(index.touching(box))})


def _rest(boxes: list[Box], taken: Iterable[list[Box]]) -> list[Box]:
    """What of `boxes` is left when all that is `taken` has gone."""
    rest = boxes
    for others in taken:
        for other in others:
            rest = [piece for box in rest for piece in subtract(box, other)]
            if not rest:
                return []
    return rest


def _fewest(matched: list[Box], earlier: dict[int, list[Box]]) -> dict[int, list[Box]]:
    """A part of `earlier` that still takes all of `matched`: one rule where one is enough."""
    for at, boxes in earlier.items():
        if not _rest(matched, [boxes]):
            return {at: boxes}
    needed = dict(earlier)
    for at in earlier:
        others = {n: boxes for n, boxes in needed.items() if n != at}
        if not _rest(matched, others.values()):
            needed = others
    return needed
