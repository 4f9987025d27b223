"""The coverage matrix: every cell, and the same as deciding every dossier there can be."""

from datetime import date
from itertools import product

from hypothesis import given, settings

from routing.boxes import Axis
from routing.conditions import AllOf, Case, within
from routing.coverage import Cell, coverage
from routing.facts import DossierState, Filer
from routing.ruleset import Rule, RuleSet
from routing.territory import departments
from routing.units import Unit
from tests.routing.rule_sets import (
    DAYS,
    PERMITS,
    PROCEDURES,
    facts_of,
    is_in,
    rule,
    rule_lists,
    rule_set,
    unit_lists,
)

ON = date(2020, 6, 15)


def _matrix(rules: RuleSet) -> dict[tuple[str | None, str | None, Filer], Cell]:
    return {(c.department, c.permit_type, c.filer): c for c in coverage(rules, ON)}


def test_every_combination_has_its_cell() -> None:
    matrix = _matrix(rule_set([rule("tous")]))

    assert set(matrix) == set(product([*departments(), None], [*PERMITS, None], Filer))


def test_a_cell_names_unit_and_rule_or_that_it_is_unrouted() -> None:
    matrix = _matrix(rule_set([rule("tous")]))

    paris = matrix["75", "apprentissage", Filer.STUDENT]
    assert [(a.outcome.units, a.outcome.rule) for a in paris.outcomes] == [(("UD075",), "tous")]
    assert (paris.routed, paris.brought_in) == (True, True)
    strasbourg = matrix["67", "apprentissage", Filer.STUDENT]
    assert (strasbourg.routed, strasbourg.outcomes[0].outcome.units) == (False, ("NATIONAL",))
    assert not matrix["75", "introduction-salarie", Filer.STUDENT].brought_in


def test_a_cell_that_depends_on_more_says_on_what() -> None:
    late = AllOf((is_in("procedure", 101), is_in("state", DossierState.RECEIVED)))
    matrix = _matrix(rule_set([rule("suivis", late, "UD093"), rule("tous")]))

    cell = matrix["75", "apprentissage", Filer.STUDENT]

    by_rule = {answer.outcome.rule: answer.classes for answer in cell.outcomes}
    assert [(c.procedures, c.states) for c in by_rule["suivis"]] == [
        ((101,), (DossierState.RECEIVED,))
    ]
    assert cell.depends_on == {Axis.STATE}
    assert matrix["93", "apprentissage", Filer.EMPLOYER].depends_on == set()
    assert DossierState.RECEIVED not in {s for c in by_rule["tous"] for s in c.states}


@settings(max_examples=settings().max_examples // 4)
@given(rule_lists(most=4), unit_lists())
def test_the_matrix_agrees_with_deciding_every_dossier(
    rules: list[Rule], units: list[Unit]
) -> None:
    compiled = rule_set(rules, units)
    matrix = _matrix(compiled)
    days = [day for day in (date(2018, 12, 31), *DAYS) if day <= ON]
    for department, permit in product(["75", "2A", "67", None], [*PERMITS, None]):
        for procedure, state, day in product(PROCEDURES, DossierState, days):
            case = Case(
                permit_type=permit,
                department=department,
                procedure=procedure,
                filer=compiled.forms[procedure].filer,
                state=state,
                filed_on=day,
                decided_on=ON,
            )
            _agree(compiled, case, matrix[department, permit, case.filer])


def _agree(rules: RuleSet, case: Case, cell: Cell) -> None:
    answers = [
        answer
        for answer in cell.outcomes
        for one in answer.classes
        if case.procedure in one.procedures
        and case.state in one.states
        and within(case.filed_on, *one.filed)
    ]
    if answers:  # none where the procedure's kind does not carry the permit type
        assert [answer.outcome for answer in answers] == [rules.outcome(facts_of(case), ON)]
    else:
        assert (case.procedure == 201) is (case.permit_type == "apprentissage")
