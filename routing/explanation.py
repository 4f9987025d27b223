"""Why a case is decided as it is: every rule in order, and why each one did not match."""

from collections.abc import Callable, Iterator
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

Say = Callable[..., str]
"""Puts values into the places of a text that have their names."""


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


def explain(rules: RuleSet, case: Case, say: Say = str.format) -> Iterator[Trial]:
    """The rules in order, up to and including the one that matches.

    Args:
        say: puts values into a text, and may translate it first.
    """
    for rule in rules.rules:
        why_not = (*_out_of_date(rule, case, say), *misses(rule.when, case, say))
        trial = Trial(rule=rule, misses=why_not)
        yield trial
        if trial.matched:
            return


def misses(condition: Condition, case: Case, say: Say = str.format) -> Iterator[str]:
    """What keeps `condition` from holding for `case`; nothing when it holds."""
    if holds(condition, case):
        return
    match condition:
        case OneOf(attribute, values):
            found = case.value(attribute)
            shown, wanted = say("unknown") if found is None else str(found), _listed(values, say)
            yield say(
                "{attribute} is {shown}, not {wanted}",
                attribute=say(attribute),
                shown=shown,
                wanted=wanted,
            )
        case Filed(since, before):
            period = _period(since, before, say)
            yield say("filed on {day}, not {period}", day=case.filed_on, period=period)
        case AllOf(parts):
            for part in parts:
                yield from misses(part, case, say)
        case AnyOf(()):
            yield say("no alternative is given")
        case AnyOf(parts):
            reasons = (say(" and ").join(misses(part, case, say)) for part in parts)
            yield say("none of these: {reasons}", reasons=say("; ").join(reasons))
        case Not(inner):
            yield say("what is excluded holds: {condition}", condition=describe(inner, say))


def describe(condition: Condition, say: Say = str.format) -> str:
    """`condition` in words."""
    match condition:
        case OneOf(attribute, values):
            wanted = _listed(values, say)
            return say("{attribute} is {wanted}", attribute=say(attribute), wanted=wanted)
        case Filed(since, before):
            return say("filed {period}", period=_period(since, before, say))
        case Not(inner):
            return say("not ({condition})", condition=describe(inner, say))
        case AllOf(parts):
            joined = say(" and ").join(f"({describe(part, say)})" for part in parts)
            return joined or say("anything")
        case AnyOf(parts):
            joined = say(" or ").join(f"({describe(part, say)})" for part in parts)
            return joined or say("nothing")


def _out_of_date(rule: Rule, case: Case, say: Say) -> Iterator[str]:
    if not within(case.decided_on, rule.valid_from, rule.valid_before):
        period = _period(rule.valid_from, rule.valid_before, say)
        yield say(
            "decided on {day}, but the rule is applied {period}", day=case.decided_on, period=period
        )


def _period(since: object, before: object, say: Say) -> str:
    parts = [
        say("from {since}", since=since) if since else "",
        say("before {before}", before=before) if before else "",
    ]
    return say(" and ").join(part for part in parts if part) or say("at any time")


def _listed(values: frozenset[Value], say: Say) -> str:
    return say(" or ").join(sorted(map(str, values)))
