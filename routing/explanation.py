"""Why a case is decided as it is: every rule in order, and why each one did not match."""

from collections.abc import Iterator
from dataclasses import dataclass

from routing.conditions import (
    AllOf,
    AnyOf,
    Case,
    Condition,
    Filed,
    Not,
    OneOf,
    Value,
    holds,
    within,
)
from routing.ruleset import Rule, RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A rule that was tried.

    Attributes:
        rule: the rule.
        misses: why it did not match; empty when it did.
    """

    rule: Rule
    misses: tuple[str, ...]

    @property
    def matched(self) -> bool:
        """Whether the rule matched."""
        return not self.misses


def explain(rules: RuleSet, case: Case) -> Iterator[Trial]:
    """The rules in order, up to and including the one that matches."""
    for rule in rules.rules:
        trial = Trial(rule=rule, misses=(*_out_of_date(rule, case), *misses(rule.when, case)))
        yield trial
        if trial.matched:
            return


def misses(condition: Condition, case: Case) -> Iterator[str]:
    """What keeps `condition` from holding for `case`; nothing when it holds."""
    if holds(condition, case):
        return
    match condition:
        case OneOf(attribute, values):
            yield f"{attribute} is {_shown(case.value(attribute))}, not {_listed(values)}"
        case Filed(since, before):
            yield f"filed on {case.filed_on}, not {_period(since, before)}"
        case AllOf(parts):
            for part in parts:
                yield from misses(part, case)
        case AnyOf(parts):
            reasons = (" and ".join(misses(part, case)) for part in parts)
            yield f"none of these: {'; '.join(reasons)}" if parts else "no alternative is given"
        case Not(inner):
            yield f"what is excluded holds: {describe(inner)}"


def describe(condition: Condition) -> str:
    """`condition` in words."""
    match condition:
        case OneOf(attribute, values):
            return f"{attribute} is {_listed(values)}"
        case Filed(since, before):
            return f"filed {_period(since, before)}"
        case Not(inner):
            return f"not ({describe(inner)})"
        case AllOf(parts):
            return " and ".join(f"({describe(part)})" for part in parts) or "anything"
        case AnyOf(parts):
            return " or ".join(f"({describe(part)})" for part in parts) or "nothing"


def _out_of_date(rule: Rule, case: Case) -> Iterator[str]:
    if not within(case.decided_on, rule.valid_from, rule.valid_before):
        period = _period(rule.valid_from, rule.valid_before)
        yield f"decided on {case.decided_on}, but the rule is applied {period}"


def _period(since: object, before: object) -> str:
    parts = [f"from {since}" if since else "", f"before {before}" if before else ""]
    return " and ".join(part for part in parts if part) or "at any time"


def _shown(value: Value | None) -> str:
    return "unknown" if value is None else str(value)


def _listed(values: frozenset[Value]) -> str:
    return " or ".join(sorted(map(str, values)))
