"""Which rules can never be reached: proved, and the same as trying every case."""

from datetime import date

from hypothesis import given, settings

from routing.case_classes import CaseClass, case_classes, intervals
from routing.conditions import ALWAYS, AllOf, Filed, Not
from routing.facts import Filer
from routing.proofs import Unreachable, unreachable
from routing.ruleset import Rule
from tests.routing.rule_sets import is_in, rule, rule_lists, rule_set


def _found(*rules: Rule) -> dict[str, tuple[str, ...]]:
    return {one.rule: one.shadowed_by for one in unreachable(rule_set(rules))}


def test_two_rules_alike_are_found_and_the_first_is_named() -> None:
    apprentices = is_in("permit_type", "apprentissage")

    assert _found(rule("a", apprentices, "UD075"), rule("b", apprentices, "UD093")) == {"b": ("a",)}


def test_a_rule_under_a_wider_one_is_found() -> None:
    assert _found(
        rule("région", is_in("region", "Île-de-France")), rule("paris", is_in("department", "75"))
    ) == {"paris": ("région",)}


def test_a_wider_rule_after_a_narrower_one_is_reachable() -> None:
    assert _found(rule("paris", is_in("department", "75")), rule("tous")) == {}


def test_several_rules_together_can_shadow_one_and_only_those_needed_are_named() -> None:
    found = _found(
        rule("apprentis", is_in("permit_type", "apprentissage")),
        rule("étudiants", is_in("filer", Filer.STUDENT)),
        rule("corse", is_in("region", "Corse")),
        rule("autres", Not(is_in("filer", Filer.STUDENT))),
        rule("paris", is_in("department", "75")),
    )

    assert found == {"paris": ("étudiants", "autres")}


def test_one_rule_is_named_where_one_is_enough() -> None:
    found = _found(
        rule("paris", is_in("department", "75")),
        rule("région", is_in("region", "Île-de-France")),
        rule("seine", is_in("department", "75", "93")),
    )

    assert found == {"seine": ("région",)}


def test_what_no_procedure_brings_in_can_never_match() -> None:
    foreign = AllOf((is_in("procedure", 101), is_in("permit_type", "introduction-salarie")))
    employer = AllOf((is_in("procedure", 101), is_in("filer", Filer.EMPLOYER)))

    assert _found(rule("a", foreign), rule("b", employer)) == {"a": (), "b": ()}


def test_a_contradiction_is_told_from_what_cannot_occur() -> None:
    never = AllOf((is_in("department", "75"), is_in("region", "Corse")))
    too_late = rule("tard", Filed(date(2021, 1, 1), None), valid_before=date(2020, 1, 1))

    found = list(unreachable(rule_set([rule("jamais", never), too_late])))

    assert found == [
        Unreachable(rule="jamais", contradictory=True, shadowed_by=()),
        Unreachable(rule="tard", contradictory=False, shadowed_by=()),
    ]


def test_validity_counts() -> None:
    found = _found(
        rule("avant", ALWAYS, valid_before=date(2021, 1, 1)),
        rule("après", ALWAYS, valid_from=date(2021, 1, 1)),
        rule("jamais", ALWAYS, valid_from=date(2020, 1, 1)),
    )

    assert found == {"jamais": ("avant", "après")}


@settings(max_examples=settings().max_examples // 4)
@given(rule_lists(most=5))
def test_the_proof_agrees_with_trying_every_case(rules: list[Rule]) -> None:
    compiled = rule_set(rules)
    reached: set[str | None] = set()
    for cases in case_classes([compiled], decided=intervals(compiled.axes.decided_cuts)):
        reached.add(compiled.outcome_of(cases.representative).rule)

    found = {one.rule: one for one in unreachable(compiled)}

    assert set(found) == {rule.id for rule in rules} - reached
    for one in found.values():
        _prove_by_leaving_out(rules, one)


def _prove_by_leaving_out(rules: list[Rule], found: Unreachable) -> None:
    """The rule stays out of reach beside its shadows alone, and comes in reach without any one."""
    last = next(rule for rule in rules if rule.id == found.rule)
    shadows = [rule for rule in rules if rule.id in found.shadowed_by]
    assert not _reaches([*shadows, last])
    for one in shadows:
        assert _reaches([*(rule for rule in shadows if rule is not one), last])


def _reaches(rules: list[Rule]) -> bool:
    compiled = rule_set(rules)
    classes: list[CaseClass] = list(
        case_classes([compiled], decided=intervals(compiled.axes.decided_cuts))
    )
    return any(compiled.outcome_of(one.representative).rule == rules[-1].id for one in classes)
