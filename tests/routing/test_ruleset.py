"""Decisions: which rule, which unit, and why, whatever the facts and however many rules."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.conditions import Case, Filed, holds, within
from routing.facts import Reason
from routing.ruleset import DEPARTMENT_UNIT, Rule, RuleSet
from routing.units import Digest, Notify, Unit
from tests.routing.rule_sets import (
    cases,
    facts,
    facts_of,
    is_in,
    rule,
    rule_lists,
    rule_set,
    unit,
    unit_lists,
)

TODAY = date(2020, 6, 15)


def test_the_first_rule_that_matches_decides() -> None:
    rules = rule_set(
        [
            rule("corse", is_in("department", "2A"), "UD02A"),
            rule("apprentis", is_in("permit_type", "apprentissage"), "UD093"),
            rule("tous"),
        ]
    )

    decision = rules.decide(facts(permit_type="apprentissage", department="75"), TODAY)

    assert (decision.rule, decision.units, decision.routed) == ("apprentis", ("UD093",), True)
    assert decision.ruleset == rules.hash
    assert decision.facts == facts(permit_type="apprentissage", department="75").fingerprint


def test_a_dossier_goes_to_the_unit_of_its_department() -> None:
    decision = rule_set([rule("tous")]).decide(facts(department="93"), TODAY)

    assert (decision.units, decision.reasons, decision.routed) == (("UD093",), (), True)


def test_a_department_that_nobody_serves_goes_to_the_fallback_with_the_reason() -> None:
    decision = rule_set([rule("tous")]).decide(facts(department="67"), TODAY)

    assert (decision.units, decision.routed) == (("NATIONAL",), False)
    assert decision.reasons == (Reason.DEPARTMENT_NOT_SERVED,)


@pytest.mark.parametrize(
    "known", [(), (Reason.DEPARTMENT_UNKNOWN,), (Reason.POSTAL_CODE_AMBIGUOUS,)]
)
def test_an_unknown_department_always_has_a_reason(known: tuple[Reason, ...]) -> None:
    decision = rule_set([rule("tous")]).decide(facts(department=None, reasons=known), TODAY)

    assert (decision.units, decision.routed) == (("NATIONAL",), False)
    assert decision.reasons == (known or (Reason.DEPARTMENT_MISSING,))


def test_no_rule_means_the_fallback_after_the_reasons_of_the_facts() -> None:
    rules = rule_set([rule("apprentis", is_in("permit_type", "apprentissage"))])
    seen = facts(permit_type=None, reasons=(Reason.PERMIT_TYPE_MISSING,))

    decision = rules.decide(seen, TODAY)

    assert (decision.units, decision.rule, decision.routed) == (("NATIONAL",), None, False)
    assert decision.reasons == (Reason.PERMIT_TYPE_MISSING, Reason.NO_RULE_MATCHES)


def test_several_targets_all_get_the_dossier_once() -> None:
    rules = rule_set([rule("deux", is_in("department", "75"), DEPARTMENT_UNIT, "UD093", "UD075")])

    assert rules.decide(facts(department="75"), TODAY).units == ("UD075", "UD093")


def test_a_target_that_is_missing_among_several_makes_the_fallback_visible() -> None:
    rules = rule_set([rule("deux", is_in("department", "67"), DEPARTMENT_UNIT, "UD093")])

    decision = rules.decide(facts(department="67"), TODAY)

    assert (decision.units, decision.routed) == (("NATIONAL", "UD093"), False)
    assert decision.reasons == (Reason.DEPARTMENT_NOT_SERVED,)


def _with_successor(successor: str | None) -> list[Unit]:
    return [
        unit("UD075", "75", closes=date(2021, 4, 1), successor=successor),
        unit("DDETS75", opens=date(2021, 4, 1)),
        unit("NATIONAL"),
    ]


@pytest.mark.parametrize(
    ("day", "units", "reasons"),
    [
        (date(2021, 3, 31), ("UD075",), ()),
        (date(2021, 4, 1), ("DDETS75",), (Reason.SUCCESSOR_UNIT,)),
    ],
)
def test_the_successor_takes_over_on_the_closing_day(
    day: date, units: tuple[str, ...], reasons: tuple[Reason, ...]
) -> None:
    for target in (DEPARTMENT_UNIT, "UD075"):
        rules = rule_set(
            [rule("tous", is_in("department", "75"), target)], _with_successor("DDETS75")
        )

        decision = rules.decide(facts(department="75"), day)

        assert (decision.units, decision.reasons, decision.routed) == (units, reasons, True)


@pytest.mark.parametrize("successor", [None, "UD075"])
def test_a_closed_unit_that_leads_nowhere_means_the_fallback(successor: str | None) -> None:
    rules = rule_set([rule("tous")], _with_successor(successor))

    decision = rules.decide(facts(department="75"), date(2021, 4, 1))

    assert (decision.units, decision.routed) == (("NATIONAL",), False)
    assert decision.reasons == (Reason.UNIT_CLOSED,)


def test_a_unit_that_has_not_opened_serves_nobody() -> None:
    rules = rule_set(
        [rule("tous")], [unit("UD075", "75", opens=date(2018, 3, 26)), unit("NATIONAL")]
    )

    decision = rules.decide(facts(department="75"), date(2018, 3, 25))

    assert (decision.routed, decision.reasons) == (False, (Reason.DEPARTMENT_NOT_SERVED,))


def test_another_unit_that_is_open_comes_before_any_successor() -> None:
    units = [
        unit("UD075", "75", closes=date(2020, 1, 1), successor="UD093"),
        unit("NEW075", "75", opens=date(2020, 1, 1)),
        unit("UD093", "93"),
        unit("NATIONAL"),
    ]

    decision = rule_set([rule("tous")], units).decide(facts(department="75"), TODAY)

    assert (decision.units, decision.reasons) == (("NEW075",), ())


def test_the_day_of_deposit_begins_at_midnight_in_paris() -> None:
    rules = rule_set([rule("nouveaux", Filed(date(2020, 7, 1), None))])
    midnight = datetime(2020, 6, 30, 22, tzinfo=UTC)

    before = rules.decide(facts(filed_at=midnight - timedelta(microseconds=1)), TODAY)
    after = rules.decide(facts(filed_at=midnight), TODAY)

    assert (before.rule, after.rule) == (None, "nouveaux")


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.ruleset.MOST_REMEMBERED", 8)
    rules = rule_set([rule("tous")])

    decisions = [rules.decide(facts(department=f"{n:03}"), TODAY) for n in range(50)]

    assert {decision.units for decision in decisions} == {("NATIONAL",)}
    assert len(rules._remembered) <= 8


def _by_hand(rules: RuleSet, case: Case) -> Rule | None:
    """The plain first-match loop that the index stands in for."""
    for one in rules.rules:
        if within(case.decided_on, one.valid_from, one.valid_before) and holds(one.when, case):
            return one
    return None


@given(rule_lists(), unit_lists(), st.lists(cases, min_size=1, max_size=20))
def test_the_index_decides_as_a_plain_loop_would(
    rules: list[Rule], units: list[Unit], tried: list[Case]
) -> None:
    compiled = rule_set(rules, units)
    for case in tried:
        decision = compiled.decide(facts_of(case), case.decided_on)
        expected = _by_hand(compiled, case)

        assert decision.rule == (expected.id if expected else None)
        assert decision.units
        assert decision.routed or (decision.reasons and "NATIONAL" in decision.units)
        assert set(decision.units) <= set(compiled.units)
        for code in decision.units:
            assert code == "NATIONAL" or compiled.units[code].open_on(case.decided_on)
        assert compiled.outcome_of(case) == compiled.outcome(facts_of(case), case.decided_on)


def test_a_rule_informs_units_that_do_not_get_the_dossier() -> None:
    rules = rule_set([rule("tous", inform=("NATIONAL", DEPARTMENT_UNIT, "NATIONAL"))])

    assert rules.outcome(facts(department="75"), TODAY).inform == ("NATIONAL",)
    # Where nobody is competent the fallback unit gets it, and nobody else is there to be told.
    assert rules.outcome(facts(department="67"), TODAY).inform == ()


def test_a_closed_unit_s_successor_is_informed_in_its_place_and_without_one_nobody() -> None:
    closing = {"closes": date(2020, 1, 1)}
    units = [
        unit("UD075", "75"),
        unit("UD093", **closing, successor="UD02A"),
        unit("UD02A"),
        unit("UD067", **closing),
        unit("NATIONAL"),
    ]
    rules = rule_set([rule("tous", inform=("UD093", "UD067"))], units)

    outcome = rules.outcome(facts(department="75"), TODAY)

    assert (outcome.inform, outcome.reasons, outcome.routed) == (("UD02A",), (), True)


@pytest.mark.parametrize(
    ("on_request", "wish", "carried"),
    [
        (False, None, True),
        (False, Notify.DIGEST, True),
        (False, Notify.INSTANT, False),
        (True, None, False),
        (True, Notify.DIGEST, True),
        (True, Notify.INSTANT, False),
    ],
)
def test_what_a_digest_carries(*, on_request: bool, wish: Notify | None, carried: bool) -> None:
    assert Digest((time(8, 30),), on_request=on_request).takes(wish) is carried
