"""Explanations: each rule in order, and a true reason for each that did not match."""

from datetime import date

from hypothesis import given

from routing.conditions import AllOf, AnyOf, Case, Condition, Filed, Not, holds
from routing.explanation import describe, explain, misses
from routing.facts import Filer
from routing.ruleset import Rule
from tests.routing.rule_sets import cases, conditions, facts, is_in, rule, rule_lists, rule_set

CASE = Case.of(facts(), date(2020, 6, 15))


def test_each_rule_says_why_it_did_not_match_until_one_does() -> None:
    rules = rule_set(
        [
            rule("corse", is_in("region", "Corse")),
            rule("plus-tard", is_in("department", "75"), valid_from=date(2021, 1, 1)),
            rule("paris", is_in("department", "75")),
            rule("tous"),
        ]
    )

    trials = list(explain(rules, CASE))

    assert [(trial.rule.id, trial.matched, trial.misses) for trial in trials] == [
        ("corse", False, ("region is Île-de-France, not Corse",)),
        (
            "plus-tard",
            False,
            ("decided on 2020-06-15, but the rule is applied from 2021-01-01",),
        ),
        ("paris", True, ()),
    ]


def test_nested_conditions_say_which_part_failed() -> None:
    condition = AllOf(
        (
            is_in("permit_type", "apprentissage"),
            AnyOf((is_in("department", "93"), Filed(date(2021, 1, 1), date(2022, 1, 1)))),
            Not(is_in("filer", Filer.STUDENT, Filer.EMPLOYER)),
        )
    )

    assert list(misses(condition, CASE)) == [
        "none of these: department is 75, not 93; "
        "filed on 2020-06-01, not from 2021-01-01 and before 2022-01-01",
        "what is excluded holds: filer is employer or student",
    ]


def test_what_is_unknown_says_so() -> None:
    case = Case.of(facts(department=None, permit_type=None), date(2020, 6, 15))

    assert list(misses(is_in("region", "Corse"), case)) == ["region is unknown, not Corse"]


def test_a_condition_in_words() -> None:
    assert describe(AllOf(())) == "anything"
    assert describe(AnyOf(())) == "nothing"
    assert (
        describe(AllOf((is_in("department", "75", "2A"), Not(Filed(None, date(2020, 1, 1))))))
        == "(department is 2A or 75) and (not (filed before 2020-01-01))"
    )


@given(conditions, cases)
def test_a_condition_misses_something_exactly_when_it_does_not_hold(
    condition: Condition, case: Case
) -> None:
    assert (list(misses(condition, case)) == []) is holds(condition, case)
    assert describe(condition)


@given(rule_lists(), cases)
def test_the_rule_that_an_explanation_ends_with_is_the_one_that_decides(
    rules: list[Rule], case: Case
) -> None:
    compiled = rule_set(rules)
    trials = list(explain(compiled, case))

    matched = [trial.rule.id for trial in trials if trial.matched]
    assert matched == [rule for rule in [compiled.outcome_of(case).rule] if rule]
    assert [trial.rule for trial in trials] == list(compiled.rules[: len(trials)])
