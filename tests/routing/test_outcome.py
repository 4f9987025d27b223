"""When facts that were read call for a decision, and when offices are told of it."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest

from routing.assignment import Assignment
from routing.facts import DossierState, Facts, Reason
from routing.outcome import PINNED_RULE, Terms, decide, decide_again
from tests.routing.rule_sets import FORMS, facts, rule, rule_set

RULES = rule_set([rule("tous")])
TODAY = date(2020, 6, 2)
UNASSIGNED = Assignment((), 0)


@dataclass(frozen=True)
class Known:
    """What is known of a dossier before it is read."""

    facts: Facts | None = None
    assignment: Assignment = UNASSIGNED
    ruleset: str | None = None
    pinned_unit: str | None = None


NEW = Known()
ROUTED = Known(facts(), Assignment(("UD075",), 1), RULES.hash)


def terms(**changes: Any) -> Terms:  # noqa: ANN401
    usual: dict[str, Any] = {
        "rules": RULES,
        "form": FORMS[0],
        "today": TODAY,
        "purged_before": None,
        "notify_decided": False,
    }
    return Terms(**(usual | changes))


def units(known: Known, read: Facts) -> tuple[str, ...] | None:
    decision = decide(terms(), known, read).decision
    return decision.units if decision else None


def test_a_new_dossier_is_decided_and_told() -> None:
    decided = decide(terms(), NEW, facts())
    assert decided.decision is not None
    assert decided.decision.units == ("UD075",)
    assert not decided.silent


def test_unchanged_facts_keep_their_decision() -> None:
    assert units(ROUTED, facts()) is None


def test_changed_facts_are_decided_anew() -> None:
    assert units(ROUTED, facts(department="93")) == ("UD093",)


def test_what_its_office_decided_stays_where_it_is() -> None:
    assert units(ROUTED, facts(department="93", state=DossierState.CLOSED)) is None


def test_under_newer_rules_only_facts_of_competence_move_a_dossier() -> None:
    older = replace(ROUTED, ruleset="f" * 64)
    assert units(older, facts(state=DossierState.RECEIVED)) is None
    assert units(older, facts(department="93")) == ("UD093",)


def test_under_newer_rules_a_reopened_dossier_is_decided_anew() -> None:
    older = replace(ROUTED, ruleset="f" * 64, facts=facts(state=DossierState.CLOSED))
    assert units(older, facts(state=DossierState.RECEIVED)) == ("UD075",)


def test_a_pin_wins_over_the_rules_and_is_a_reason() -> None:
    decision = decide(terms(), replace(NEW, pinned_unit="UD02A"), facts()).decision
    assert decision is not None
    assert (decision.units, decision.rule) == (("UD02A",), PINNED_RULE)
    assert decision.reasons[-1] is Reason.PINNED


@pytest.mark.parametrize(("since", "silent"), [(date(2020, 6, 2), True), (date(2020, 6, 1), False)])
def test_offices_are_not_told_of_dossiers_filed_before_the_launch(
    since: date, silent: bool
) -> None:
    launched = terms(form=replace(FORMS[0], notify_since=since))
    assert decide(launched, NEW, facts()).silent is silent


@pytest.mark.parametrize(("told", "silent"), [(False, True), (True, False)])
def test_a_dossier_first_seen_decided_is_recorded_unless_the_setting_says_so(
    told: bool, silent: bool
) -> None:
    closed = facts(state=DossierState.CLOSED)
    assert decide(terms(notify_decided=told), NEW, closed).silent is silent


def test_a_purged_dossier_that_a_list_brings_back_is_recorded_only() -> None:
    closed = facts(state=DossierState.CLOSED)
    at, before = closed.filed_at, closed.filed_at - timedelta(seconds=1)
    assert decide(terms(notify_decided=True, purged_before=at), NEW, closed).silent
    assert not decide(terms(notify_decided=True, purged_before=before), NEW, closed).silent
    assert not decide(terms(notify_decided=True, purged_before=at), NEW, facts()).silent


def test_a_reassignment_of_a_decided_dossier_is_recorded_only() -> None:
    pinned = replace(ROUTED, pinned_unit="UD093")
    undecided = decide_again(RULES, pinned, facts(), on=TODAY)
    decided = decide_again(RULES, pinned, facts(state=DossierState.CLOSED), on=TODAY)
    assert undecided.decision is not None
    assert undecided.decision.units == ("UD093",)
    assert (undecided.silent, decided.silent) == (False, True)
