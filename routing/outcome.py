"""What becomes of a dossier once it was read: its decision, and whether offices are told of it."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

from routing.assignment import Assignment
from routing.calendar import paris_day
from routing.decision import Decision
from routing.facts import Facts, Reason
from routing.forms import Form
from routing.ruleset import RuleSet

PINNED_RULE = "pinned"
"""Stands where a rule's id would: a person pinned the dossier to a unit."""


class Prior(Protocol):
    """What is known of a dossier before it is read.

    Attributes:
        facts: those last read, None before the first reading.
        assignment: its units so far.
        ruleset: hash of the rule set that decided last, None before the first decision.
        pinned_unit: code of the unit that a person pinned it to, None without a pin.
    """

    @property
    def facts(self) -> Facts | None: ...
    @property
    def assignment(self) -> Assignment: ...
    @property
    def ruleset(self) -> str | None: ...
    @property
    def pinned_unit(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the dossiers of one procedure are decided by.

    Attributes:
        rules: the rule set in force.
        form: of the procedure.
        today: the day of the decision in France.
        purged_before: latest deposit of a purged dossier of the procedure, None without any.
        notify_decided: whether offices are told of dossiers that ended before the service first
            saw them.
    """

    rules: RuleSet
    form: Form
    today: date
    purged_before: datetime | None
    notify_decided: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The outcome for a dossier whose facts are known.

    Attributes:
        facts: those that were decided on.
        decision: None when the one taken before stays.
        silent: whether a change of units is recorded without telling any office.
    """

    facts: Facts
    decision: Decision | None
    silent: bool


def decide(terms: Terms, prior: Prior, facts: Facts) -> Decided:
    """Decide on facts that were just read."""
    decision = (
        decide_anew(terms.rules, prior, facts, on=terms.today)
        if _is_due(terms.rules, prior, facts)
        else None
    )
    return Decided(facts=facts, decision=decision, silent=_is_silent(terms, prior, facts))


def decide_again(rules: RuleSet, prior: Prior, facts: Facts, *, on: date) -> Decided:
    """Decide on facts that are stored, after a change of the pin or of the rule set.

    Offices are told of a move while the dossier is open; once it ended it is recorded only.
    Of a dossier that does not move nobody is informed.

    Args:
        rules: the rule set in force.
        prior: what is known of the dossier, its new pin included.
        facts: those stored.
        on: the day of the decision in France.
    """
    decision = decide_anew(rules, prior, facts, on=on)
    if set(decision.units) == set(prior.assignment.units):
        # Whom an edited rule informs is told of dossiers to come, not of all that are open.
        decision = replace(decision, inform=())
    return Decided(facts=facts, decision=decision, silent=facts.state.ended)


def decide_anew(rules: RuleSet, prior: Prior, facts: Facts, *, on: date) -> Decision:
    """What the rule set says of `facts` on the day `on`, or the pin where there is one."""
    decision = rules.decide(facts, on)
    if prior.pinned_unit is None:
        return decision
    return Decision(
        units=(prior.pinned_unit,),
        rule=PINNED_RULE,
        ruleset=decision.ruleset,
        facts=decision.facts,
        reasons=(*facts.reasons, Reason.PINNED),
        routed=True,
        inform=tuple(code for code in decision.inform if code != prior.pinned_unit),
    )


def _is_due(rules: RuleSet, prior: Prior, facts: Facts) -> bool:
    """Whether `facts` call for a decision.

    A dossier that ended, or whose facts did not change, keeps its decision.
    Under a newer rule set only facts that bear on competence are decided anew: a dossier
    moves because it changed, or because an admin re-routed it, not because TPS moved it
    on in its course.
    """
    before = prior.facts
    if before is None or prior.assignment.ordinal == 0:
        return True
    if facts.state.ended or before.fingerprint == facts.fingerprint:
        return False
    moved = _competence(before) != _competence(facts) or before.state.ended
    return prior.ruleset == rules.hash or moved


def _competence(facts: Facts) -> tuple[object, ...]:
    """The part of the facts on which competence rests."""
    return (facts.permit_type, facts.department, facts.filer)


def _is_silent(terms: Terms, prior: Prior, facts: Facts) -> bool:
    return (
        _was_filed_before_launch(terms, facts)
        or _may_have_been_purged(terms, facts)
        or _ended_before_first_seen(terms, prior, facts)
    )


def _was_filed_before_launch(terms: Terms, facts: Facts) -> bool:
    since = terms.form.notify_since
    return since is not None and paris_day(facts.filed_at) < since


def _may_have_been_purged(terms: Terms, facts: Facts) -> bool:
    """Whether its office may have been told before the dossier was purged.

    Lists that show neither state nor date of deposit bring purged dossiers back.
    """
    before = terms.purged_before
    return before is not None and facts.state.ended and facts.filed_at <= before


def _ended_before_first_seen(terms: Terms, prior: Prior, facts: Facts) -> bool:
    first = prior.assignment.ordinal == 0
    return first and facts.state.ended and not terms.notify_decided
