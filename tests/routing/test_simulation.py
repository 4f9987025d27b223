"""Simulations: exactly the dossiers and the cases that another rule set sends elsewhere."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.case_classes import CaseClass
from routing.conditions import Case
from routing.facts import DossierState, Facts
from routing.ruleset import Outcome, Rule, RuleSet
from routing.simulation import PriorDecision, case_moves, dossier_moves
from routing.units import Notify
from tests.routing.rule_sets import (
    OPEN_UNITS,
    cases,
    facts,
    facts_of,
    is_in,
    rule,
    rule_lists,
    rule_set,
    unit,
)
from tests.routing.test_case_classes import can_occur, in_class

ON = date(2020, 6, 15)
BEFORE = rule_set([rule("tous")])


def _known(*dossiers: Facts, rules: RuleSet = BEFORE) -> Iterator[PriorDecision]:
    return (PriorDecision(each, rules.outcome(each, ON)) for each in dossiers)


def _moves(was: Outcome, will: Outcome) -> bool:
    return (set(was.units), was.routed) != (set(will.units), will.routed)


def _tells_otherwise(was: Outcome, will: Outcome) -> bool:
    return (set(was.inform), was.notify) != (set(will.inform), will.notify)


def test_nothing_moves_under_the_same_rules() -> None:
    assert dossier_moves(rule_set([rule("tous")]), _known(facts()), ON) == []
    assert case_moves(BEFORE, rule_set([rule("tous")]), ON) == []


def test_dossiers_that_move_are_told_by_where_from_where_to_and_which_rule() -> None:
    after = rule_set(
        [rule("apprentis", is_in("permit_type", "apprentissage"), "UD093"), rule("tous")]
    )
    known = _known(
        facts(number=2),
        facts(number=1),
        facts(number=3, permit_type="doctorat"),
        facts(number=4, state=DossierState.CLOSED),
    )

    (move,) = dossier_moves(after, known, ON)

    assert (move.change.before.units, move.change.after.units) == (("UD075",), ("UD093",))
    assert (move.change.before.rule, move.change.after.rule) == ("tous", "apprentis")
    assert (move.open, move.ended) == (((101, 1), (101, 2)), 1)


def test_what_becomes_unrouted_is_told() -> None:
    after = rule_set([rule("apprentis", is_in("permit_type", "apprentissage"))])

    (move,) = dossier_moves(after, _known(facts(permit_type="doctorat")), ON)

    assert (move.change.before.routed, move.change.after.routed) == (True, False)


def test_who_has_a_dossier_now_counts_and_not_who_should_have() -> None:
    elsewhere = PriorDecision(facts(), Outcome(("UD02A",), "ancienne", (), routed=True))

    (move,) = dossier_moves(BEFORE, [elsewhere], ON)

    assert (move.change.before.units, move.change.after.units) == (("UD02A",), ("UD075",))


def test_the_order_of_several_units_is_no_move() -> None:
    both = PriorDecision(facts(), Outcome(("UD093", "UD075"), "ancienne", (), routed=True))
    after = rule_set([rule("deux", is_in("department", "75"), "UD075", "UD093")])

    assert dossier_moves(after, [both], ON) == []


def test_a_change_to_come_is_seen_with_its_first_day() -> None:
    closing = [unit("UD075", "75", closes=date(2021, 4, 1), successor="UD093"), *OPEN_UNITS[1:]]

    (move,) = case_moves(BEFORE, rule_set([rule("tous")], closing), ON)

    assert (move.change.before.units, move.change.after.units) == (("UD075",), ("UD093",))
    assert move.first_day == date(2021, 4, 1)
    assert {one.department for one in move.classes} == {"75"}


def test_a_rule_that_only_changes_its_name_moves_nothing() -> None:
    assert case_moves(BEFORE, rule_set([rule("toutes")]), ON) == []


def test_a_rule_that_informs_others_moves_no_dossier_and_is_a_change_of_cases() -> None:
    after = rule_set([rule("tous", inform=("NATIONAL",), notify=Notify.INSTANT)])

    assert dossier_moves(after, _known(facts()), ON) == []
    assert {move.change.after.inform for move in case_moves(BEFORE, after, ON)} == {
        ("NATIONAL",),
        (),
    }


@settings(max_examples=settings().max_examples // 2)
@given(rule_lists(most=3), rule_lists(most=3), st.lists(cases, min_size=1, max_size=10))
def test_a_case_is_said_to_move_exactly_when_it_does(
    one: list[Rule], other: list[Rule], tried: list[Case]
) -> None:
    before, after = rule_set(one), rule_set(other)
    moves = case_moves(before, after, ON)
    for case in tried:
        if not can_occur(before, case) or case.decided_on < ON or case.department == "999":
            continue
        was, will = before.outcome_of(case), after.outcome_of(case)
        found = [move for move in moves for each in move.classes if _is_in(case, each)]
        assert bool(found) is (_moves(was, will) or _tells_otherwise(was, will))
        assert all((m.change.before, m.change.after) == (was, will) for m in found)


def _is_in(case: Case, each: CaseClass) -> bool:
    return in_class(each, case, case.permit_type if case.permit_type != "inconnu" else None)


@given(rule_lists(most=3), rule_lists(most=3), st.lists(cases, max_size=10))
def test_dossiers_move_exactly_when_their_decision_does(
    one: list[Rule], other: list[Rule], tried: list[Case]
) -> None:
    before, after = rule_set(one), rule_set(other)
    dossiers = [replace(facts_of(case), number=at) for at, case in enumerate(tried, start=1)]

    moves = dossier_moves(after, _known(*dossiers, rules=before), ON)

    moving = [
        each for each in dossiers if _moves(before.outcome(each, ON), after.outcome(each, ON))
    ]
    assert {number for move in moves for _, number in move.open} == {
        each.number for each in moving if not each.state.ended
    }
    assert sum(move.ended for move in moves) == sum(each.state.ended for each in moving)
