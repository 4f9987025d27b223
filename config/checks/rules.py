"""Rules: each can be reached, and sends to units that are open while it is applied."""

from collections.abc import Iterator

from config.checks.units import is_open
from config.diagnostics import Code, Diagnostic
from config.document import compile_condition, compile_entries, document_of
from config.loader import Configuration, Located
from config.messages import joined, tr
from config.schema import RuleEntry, UnitEntry
from routing.boxes import Axes, TooComplexError
from routing.proofs import Unreachable, unreachable
from routing.ruleset import RuleSet

PROVABLE = frozenset({"procedures.yaml", "permit_types.yaml", "routing.yaml"})
"""The files that must be right for a proof about rules to be one."""


def check(configuration: Configuration) -> Iterator[Diagnostic]:
    """Everything that is wrong among the rules."""
    units = {unit.entry.code: unit.entry for unit in configuration.units}
    for rule in configuration.rules:
        for key, targets in (("send_to", rule.entry.send_to), ("inform", rule.entry.inform or ())):
            for at, target in enumerate(targets):
                if target in units:
                    yield from _closed(rule, [key, at], units[target], configuration)
    too_complex = list(_too_complex(configuration))
    yield from too_complex
    if not too_complex and configuration.sound >= PROVABLE:
        yield from _unreachable(configuration)


def compiled(configuration: Configuration) -> RuleSet:
    """What a configuration would be in force as."""
    return compile_entries(document_of(configuration), "")


def _closed(
    rule: Located[RuleEntry], path: list[str | int], unit: UnitEntry, configuration: Configuration
) -> Iterator[Diagnostic]:
    """A rule ends with the unit that it names, unless another one follows."""
    end, closes = rule.entry.valid_before, unit.closes
    if closes is not None and unit.successor is None and (end is None or end > closes):
        yield rule.mistake(
            Code.CLOSED_UNIT_TARGETED,
            path,
            tr("closes on {day} and has no successor", day=closes),
            tr("name its successor, or add `valid_before: {day}`", day=closes),
            value=unit.code,
        )
    applied = max(configuration.on, rule.entry.valid_from or configuration.on)
    if unit.opens is not None and applied < unit.opens and not is_open(unit, applied):
        yield rule.mistake(
            Code.CLOSED_UNIT_TARGETED,
            path,
            tr(
                "does not open before {day}, and the rule is applied from {applied} on",
                day=unit.opens,
                applied=applied,
            ),
            tr("add `valid_from: {day}`", day=unit.opens),
            value=unit.code,
        )


def _too_complex(configuration: Configuration) -> Iterator[Diagnostic]:
    for rule in configuration.rules:
        condition = compile_condition(rule.entry.when)
        axes = Axes.of([condition], permit_types=(), procedures=(), decided_cuts=())
        try:
            axes.boxes(condition, None, None)
        except TooComplexError:
            message = tr("has too many alternatives within alternatives to be followed")
            proposal = tr("make several rules of it")
            yield rule.mistake(Code.CONDITION_TOO_COMPLEX, ["when"], message, proposal)


def _unreachable(configuration: Configuration) -> Iterator[Diagnostic]:
    rules = {rule.entry.id: rule for rule in configuration.rules}
    for found in unreachable(compiled(configuration)):
        configuration.unreachable.add(found.rule)
        others = joined(
            (
                tr("`{id}` (line {line})", id=id_, line=rules[id_].node.line)
                for id_ in found.shadowed_by
            ),
            ", ",
        )
        code, message, proposal = _explain(found, others)
        yield rules[found.rule].mistake(code, ["id"], message, proposal)


def _explain(found: Unreachable, others: str) -> tuple[Code, str, str]:
    if found.contradictory:
        message = tr("can never match: its condition contradicts itself")
        return Code.RULE_NEVER_MATCHES, message, tr("correct `when`")
    if not found.shadowed_by:
        message = tr("can never match: no procedure brings in such a dossier")
        return Code.RULE_NEVER_MATCHES, message, tr("correct `when`, or add the procedure first")
    if found.duplicate:
        message = tr(
            "has the same condition as {others}, which comes first and decides", others=others
        )
        return Code.RULE_DUPLICATE, message, tr("keep one of them")
    message = tr("can never be reached: {others} before it decide all that it could", others=others)
    return Code.RULE_SHADOWED, message, tr("move it up, or remove it")
