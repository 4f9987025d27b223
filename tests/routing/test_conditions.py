"""Conditions: what they look at, in days of Europe/Paris."""

from datetime import UTC, date, datetime

import pytest

from routing.conditions import (
    AllOf,
    AnyOf,
    Attribute,
    Case,
    Condition,
    Filed,
    Not,
    OneOf,
    holds,
    within,
)
from routing.facts import DossierState, Filer
from tests.routing.rule_sets import facts, is_in

DAY = date(2020, 6, 15)


def test_a_case_is_what_the_facts_say_in_paris() -> None:
    case = Case.of(facts(filed_at=datetime(2020, 6, 30, 22, tzinfo=UTC)), DAY)

    assert case == Case(
        permit_type="apprentissage",
        department="75",
        procedure=101,
        filer=Filer.STUDENT,
        state=DossierState.INITIATED,
        filed_on=date(2020, 7, 1),
        decided_on=DAY,
    )


@pytest.mark.parametrize(
    ("department", "region"),
    [("75", "Île-de-France"), ("2B", "Corse"), ("974", "La Réunion"), ("999", None), (None, None)],
)
def test_the_region_follows_from_the_department(department: str | None, region: str | None) -> None:
    assert Case.of(facts(department=department), DAY).region == region


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (is_in("permit_type", "apprentissage", "doctorat"), True),
        (is_in("permit_type", "doctorat"), False),
        (is_in("procedure", 101), True),
        (is_in("region", "Île-de-France"), True),
        (OneOf(Attribute.STATE, frozenset({DossierState.CLOSED})), False),
        (OneOf(Attribute.FILER, frozenset({Filer.STUDENT})), True),
        (Filed(date(2020, 6, 1), None), True),
        (Filed(None, date(2020, 6, 1)), False),
        (Not(is_in("department", "93")), True),
        (AllOf((is_in("department", "75"), is_in("procedure", 102))), False),
        (AnyOf((is_in("department", "93"), is_in("procedure", 101))), True),
        (AllOf(()), True),
        (AnyOf(()), False),
    ],
)
def test_a_condition_holds_or_not(condition: Condition, expected: bool) -> None:
    assert holds(condition, Case.of(facts(), DAY)) is expected


def test_what_is_unknown_has_no_value_and_is_therefore_not_any() -> None:
    unknown = Case.of(facts(department=None, permit_type=None), DAY)

    assert not holds(is_in("department", "75"), unknown)
    assert holds(Not(is_in("department", "75")), unknown)


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2019, 12, 31), False), (date(2020, 1, 1), True), (date(2021, 1, 1), False)],
)
def test_a_period_holds_its_first_day_and_not_its_end(day: date, expected: bool) -> None:
    assert within(day, date(2020, 1, 1), date(2021, 1, 1)) is expected
