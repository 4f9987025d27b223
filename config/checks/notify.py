"""How rules tell units: by digests that exist, and for information whom nothing else tells."""

from collections.abc import Iterator

from config.diagnostics import Code, Diagnostic
from config.document import compile_condition
from config.loader import Configuration, Located
from config.messages import tr
from config.schema import RuleEntry, UnitEntry
from routing.boxes import Axes, Axis, TooComplexError
from routing.ruleset import DEPARTMENT_UNIT
from routing.units import Notify

NAMED = 3
"""Units that a message names before it counts the others."""


def check(configuration: Configuration) -> Iterator[Diagnostic]:
    """What is wrong with `notify` and `inform`."""
    for rule in configuration.rules:
        yield from _told_twice(rule)
        if rule.entry.notify is Notify.DIGEST:
            yield from _without_digest(configuration, rule)


def _told_twice(rule: Located[RuleEntry]) -> Iterator[Diagnostic]:
    """A unit that is told for information of what it gets, or twice of the same."""
    seen = set(rule.entry.send_to)
    for at, target in enumerate(rule.entry.inform or ()):
        if target in seen:
            message = tr("is told already, by `send_to` or `inform`")
            yield rule.mistake(Code.TWICE, ["inform", at], message, tr("remove it from `inform`"))
        seen.add(target)


def _without_digest(configuration: Configuration, rule: Located[RuleEntry]) -> Iterator[Diagnostic]:
    units = [unit.entry for unit in configuration.units if unit.entry.digest is None]
    lacking = [unit.code for unit in units if _gets(rule.entry, unit)]
    if lacking:
        names = ", ".join(lacking[:NAMED]) + (" …" if len(lacking) > NAMED else "")
        yield rule.mistake(
            Code.DIGEST_WITHOUT_TIMES,
            ["notify"],
            tr("goes to units without digest: {names}", names=names),
            tr('give them `digest: {at: ["08:30"]}` in units.yaml, or remove `notify`'),
        )


def _gets(rule: RuleEntry, unit: UnitEntry) -> bool:
    """Whether the rule can send a dossier to the unit."""
    if unit.code in rule.send_to:
        return True
    return DEPARTMENT_UNIT in rule.send_to and any(
        _admits(rule, department) for department in unit.departments
    )


def _admits(rule: RuleEntry, department: str) -> bool:
    condition = compile_condition(rule.when)
    axes = Axes.of([condition], permit_types=(), procedures=(), decided_cuts=())
    try:
        boxes = axes.boxes(condition, None, None)
    except TooComplexError:
        return False  # said elsewhere
    known = axes.positions[Axis.DEPARTMENT]
    bit = 1 << known.get(department, len(known))
    return any(box[Axis.DEPARTMENT] & bit for box in boxes)
