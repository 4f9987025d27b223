"""Cases that can occur: all of them, and no others, each with a true representative."""

from collections.abc import Iterator
from datetime import date
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from routing.case_classes import (
    UNLISTED,
    CaseClass,
    Source,
    case_classes,
    from_day,
    intervals,
    possible,
    sources,
)
from routing.conditions import Case, within
from routing.facts import DossierState, Filer
from routing.ruleset import Rule, RuleSet
from tests.routing.rule_sets import DAYS, cases, is_in, rule, rule_lists, rule_set


def test_who_files_and_the_permit_types_follow_from_the_procedure() -> None:
    assert set(sources(rule_set([rule("tous")]))) == {
        Source(101, Filer.STUDENT, None),
        Source(101, Filer.STUDENT, "apprentissage"),
        Source(101, Filer.STUDENT, "doctorat"),
        Source(102, Filer.EMPLOYER, None),
        Source(102, Filer.EMPLOYER, "apprentissage"),
        Source(102, Filer.EMPLOYER, "doctorat"),
        Source(201, Filer.UNKNOWN, None),
        Source(201, Filer.UNKNOWN, "doctorat"),
        Source(201, Filer.UNKNOWN, "introduction-salarie"),
    }


def can_occur(rules: RuleSet, case: Case) -> bool:
    """The definition, read off the configuration for one case."""
    known = {kind.code for kind in rules.permit_types}
    permit = case.permit_type if case.permit_type in known else None
    source = Source(case.procedure, case.filer, permit)
    return source in set(sources(rules)) and case.filed_on <= case.decided_on


@given(rule_lists(), st.lists(cases, min_size=1, max_size=20))
def test_what_can_occur_is_in_a_box_and_nothing_else_is(
    rules: list[Rule], tried: list[Case]
) -> None:
    compiled = rule_set(rules)
    boxes = possible(compiled)
    for case in tried:
        point = compiled.axes.point(case)
        inside = any(
            all(positions >> at & 1 for at, positions in zip(point, box, strict=True))
            for box in boxes
        )
        assert inside or not can_occur(compiled, case)
        if inside and case.filed_on <= case.decided_on:
            assert can_occur(compiled, case)


@given(rule_lists(), st.lists(cases, min_size=1, max_size=10))
def test_every_case_that_can_occur_is_in_one_class_and_goes_where_its_representative_goes(
    rules: list[Rule], tried: list[Case]
) -> None:
    compiled = rule_set(rules)
    classes = list(case_classes([compiled], decided=intervals(compiled.axes.decided_cuts)))
    for case in tried:
        if not can_occur(compiled, case):
            continue
        permit = case.permit_type if case.permit_type != "inconnu" else None
        found = [one for one in classes if in_class(one, case, permit)]
        assert len(found) == (0 if case.department == "999" else 1)
        for one in found:
            assert compiled.outcome_of(one.representative) == compiled.outcome_of(case)


def in_class(one: CaseClass, case: Case, permit: str | None) -> bool:
    return (
        (one.department, one.permit_type, one.filer) == (case.department, permit, case.filer)
        and case.procedure in one.procedures
        and case.state in one.states
        and within(case.filed_on, *one.filed)
        and within(case.decided_on, *one.decided)
    )


@given(rule_lists())
def test_a_representative_belongs_to_its_class_and_can_occur(rules: list[Rule]) -> None:
    compiled = rule_set(rules)
    for one in _some(case_classes([compiled], decided=intervals(compiled.axes.decided_cuts))):
        case = one.representative
        assert in_class(one, case, case.permit_type)
        assert can_occur(compiled, case)


def _some(classes: Iterator[CaseClass]) -> Iterator[CaseClass]:
    return (one for at, one in enumerate(classes) if at % 37 == 0)


def test_a_hypothetical_case_is_one_that_no_procedure_brings_in() -> None:
    rules = rule_set([rule("tous")])
    real = set(case_classes([rules], decided=intervals([])))
    every = set(case_classes([rules], decided=intervals([]), hypothetical=True))

    ways = {(one.permit_type, one.filer) for one in every}
    codes = [permit.code for permit in rules.permit_types]
    assert ways == set(product([*codes, None], Filer))
    assert {one.procedures for one in every - real} == {(UNLISTED,)}


def test_the_days_to_come_begin_with_the_given_one() -> None:
    rules = rule_set([rule("un", is_in("state", DossierState.INITIATED), valid_from=DAYS[1])])

    assert from_day([rules], date(2019, 5, 1)) == [
        (date(2019, 5, 1), DAYS[1]),
        (DAYS[1], None),
    ]
    assert from_day([rules], date(2021, 5, 1)) == [(date(2021, 5, 1), None)]
