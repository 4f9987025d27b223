"""The shipped configuration: every public procedure, every open département, no real mailbox."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from config.diagnostics import Code
from config.ruleset import check_directory, load_directory
from routing.classification import Answers, classify
from routing.coverage import coverage
from routing.facts import DepartmentSource, DossierState, Facts, Filer, Reason
from routing.forms import Field
from routing.ruleset import RuleSet

CHECKOUT = Path(__file__).resolve().parents[2]
SHIPPED = CHECKOUT / "config"
PUBLISHED = CHECKOUT.parent / "shared" / "data" / "procedures.json"
TODAY = date(2020, 11, 2)


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return load_directory(SHIPPED, on=TODAY)


def _facts(**changes: object) -> Facts:
    given: dict[str, object] = {
        "procedure": 13760,
        "number": 1,
        "state": DossierState.INITIATED,
        "filed_at": datetime(2018, 8, 20, 15, 9, tzinfo=UTC),
        "changed_at": datetime(2018, 8, 20, 15, 9, tzinfo=UTC),
        "permit_type": "apprentissage",
        "department": "75",
        "department_source": DepartmentSource.RESIDENCE_PERMIT,
        "filer": Filer.UNKNOWN,
    }
    return Facts(**(given | changes))  # type: ignore[arg-type]


def test_it_has_74_procedures_of_36_departments_each_with_its_unit(rules: RuleSet) -> None:
    served = {code for unit in rules.units.values() for code in unit.departments}

    assert len(rules.forms) == 74
    assert len(served) == 36
    assert {form.department for form in rules.forms.values()} == served
    assert rules.units[rules.fallback].departments == ()


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published list is not beside the checkout")
def test_it_has_the_published_procedures(rules: RuleSet) -> None:
    published = {
        (number, entry["department"], entry["kind"])
        for entry in json.loads(PUBLISHED.read_text())
        for number in entry["procedures"]
    }

    assert {(f.procedure, f.department, f.kind) for f in rules.forms.values()} == published
    known = json.loads((SHIPPED / "published_procedures.json").read_text())
    assert {(n, d) for d, numbers in known.items() for n in numbers} == {
        (number, department) for number, department, _ in published
    }


def test_its_mailboxes_are_placeholders_that_production_refuses() -> None:
    _, mistakes = check_directory(SHIPPED, production=True, on=TODAY)

    assert {mistake.code for mistake in mistakes} == {Code.MAILBOX_PLACEHOLDER}
    assert len(mistakes) == 37


def test_the_student_of_paris_who_works_in_nanterre_belongs_to_paris(rules: RuleSet) -> None:
    answers = Answers(
        {
            Field.RESIDENCE_PERMIT_DEPARTMENT: "75 - Paris",
            Field.RESIDENCE_POSTAL_CODE: "75011 ",
            Field.CONTRACT_TYPE: "contrat d'apprentissage",
            Field.NATIONALITY: "CAMEROUN",
        },
        establishment_insee="92026",
        establishment_postal_code="92400",
    )
    found = classify(rules.forms[3272], answers, rules.permit_types)
    facts = _facts(procedure=3272, permit_type=found.permit_type, department=found.department)

    decision = rules.decide(facts, TODAY)

    assert (found.permit_type, found.department) == ("apprentissage", "75")
    assert (decision.units, decision.rule, decision.routed) == (("UD075",), "etudiants", True)


@pytest.mark.parametrize(
    ("contract", "nationality", "expected"),
    [
        ("contrat d'apprentissage", "ALGERIE", "apprentissage"),
        ("Contrat de professionnalisation", "Maroc", "professionnalisation"),
        ("Interne en médecine", "Tunisie", "interne-medecine"),
        ("CDI", "ALGERIE", "accord-franco-algerien"),
        ("CDD", "Algérie", "accord-franco-algerien"),
        ("CDD", "ALGÉRIENNE", "accord-franco-algerien"),
        ("Contrat doctoral", "ALGERIE", "accord-franco-algerien"),
        ("Contrat doctoral", "Chine", "doctorat"),
        ("Expert-comptable stagiaire", "Sénégal", "expert-comptable-stagiaire"),
        ("CDI", "Chine", None),
    ],
)
def test_permit_types_are_recognised_in_their_order(
    contract: str, nationality: str, expected: str | None, rules: RuleSet
) -> None:
    answers = Answers({Field.CONTRACT_TYPE: contract, Field.NATIONALITY: nationality})

    assert classify(rules.forms[15751], answers, rules.permit_types).permit_type == expected


def test_paris_began_on_26_march_2018(rules: RuleSet) -> None:
    before = rules.decide(_facts(), date(2018, 3, 25))

    assert (before.routed, before.reasons) == (False, (Reason.DEPARTMENT_NOT_SERVED,))
    assert rules.decide(_facts(), date(2018, 3, 26)).units == ("UD075",)


def test_every_cell_is_a_unit_of_its_department_or_visibly_unrouted(rules: RuleSet) -> None:
    served = {code: unit for unit in rules.units.values() for code in unit.departments}
    for cell in coverage(rules, TODAY):
        (answer,) = cell.outcomes
        if cell.department in served and cell.permit_type is not None:
            assert answer.outcome.units == (served[cell.department].code,)
            assert answer.outcome.routed
        else:
            assert answer.outcome.units == (rules.fallback,)
            assert not answer.outcome.routed


def test_every_rule_tells_the_office_why_in_one_french_sentence(rules: RuleSet) -> None:
    for rule in rules.rules:
        assert rule.why.endswith(".")
        assert rule.why.count(". ") == 0
        assert rule.article in {"R5221-15", "R5221-16"}
