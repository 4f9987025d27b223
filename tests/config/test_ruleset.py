"""Documents: canonical, known by their hash, and all that a rule set needs."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.ruleset import compile_document, document_hash, load_directory, read_directory
from routing.conditions import AllOf, Attribute, Filed, Not, OneOf
from routing.facts import Competence, Filer
from routing.forms import Field
from routing.ruleset import DEPARTMENT_UNIT
from routing.units import UnitChannel
from tests.config.wrong_configurations import VALID

DAY = date(2020, 6, 15)

Edit = Callable[[str, str, str], str]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """The document of the valid configuration after one replacement."""

    def edit(file: str, old: str, new: str) -> str:
        shutil.copytree(VALID, tmp_path, dirs_exist_ok=True)
        text = (VALID / file).read_text()
        assert old in text
        (tmp_path / file).write_text(text.replace(old, new))
        return read_directory(tmp_path, on=DAY)

    return edit


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("units.yaml", "# Un petit monde", "# Autre chose"),
        ("units.yaml", "[75 - Paris]", '["75"]'),
        ("units.yaml", "75 - Paris", "75 – Paris"),
        ("procedures.yaml", "residence_permit_department: Dé", "residence_permit_department:   Dé"),
        ("routing.yaml", "{ in: [apprentissage, accord-franco-algerien, doctorat] }",
         "[doctorat, apprentissage, accord-franco-algerien]"),
        ("routing.yaml", "permit_type: doctorat\n", "permit_type: { in: [doctorat] }\n"),
        ("routing.yaml", "region: Île-de-France", "region: ile-de-france"),
        ("routing.yaml", "unit: [UD075]", "unit: UD075"),
    ],
)  # fmt: skip
def test_what_means_the_same_has_the_same_hash(file: str, old: str, new: str, edited: Edit) -> None:
    assert document_hash(edited(file, old, new)) == document_hash(read_directory(VALID, on=DAY))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("units.yaml", "moe.ud075@", "moe.paris@"),
        ("units.yaml", "opens: 2018-03-26", "opens: 2018-03-25"),
        ("procedures.yaml", "Nature du contrat", "Type du contrat"),
        ("permit_types.yaml", "label: Doctorat", "label: Doctorants"),
        ("routing.yaml", "relève du département\n", "dépend du département\n"),
        ("routing.yaml", "valid_from: 2019-01-01", "valid_from: 2019-01-02"),
    ],
)
def test_what_means_something_else_has_another_hash(
    file: str, old: str, new: str, edited: Edit
) -> None:
    assert document_hash(edited(file, old, new)) != document_hash(read_directory(VALID, on=DAY))


@pytest.mark.parametrize("section", ["permit_types", "rules"])
def test_the_order_of_rules_and_of_permit_types_counts(section: str) -> None:
    document = read_directory(VALID, on=DAY)
    content = json.loads(document)
    content[section].reverse()
    reversed_ = json.dumps(content)

    first = getattr(compile_document(document), section)

    assert getattr(compile_document(reversed_), section) == tuple(reversed(first))
    assert document_hash(reversed_) != document_hash(document)


def test_a_document_compiles_into_all_that_routing_needs() -> None:
    rules = load_directory(VALID, on=DAY)

    assert rules.hash == document_hash(read_directory(VALID, on=DAY))
    assert rules.fallback == "NATIONAL"
    unit = rules.units["UD067"]
    assert (unit.name, unit.departments) == ("Unité départementale du Bas-Rhin", ("67",))
    assert unit.channels == (UnitChannel("mail", "moe.ud067@direccte.example", carries_many=True),)
    assert (unit.closes, unit.successor) == (date(2021, 4, 1), "DDETS67")
    form = rules.forms[13760]
    assert (form.department, form.kind, form.filer) == ("75", "apt-etudiant", Filer.STUDENT)
    assert form.labels[Field.CONTRACT_TYPE] == ("Type de contrat", "Nature du contrat")
    permit = rules.permit_types[1]
    assert (permit.code, permit.competence) == (
        "accord-franco-algerien",
        Competence.RESIDENCE_PERMIT,
    )
    assert permit.recognition.field is Field.NATIONALITY
    assert permit.recognition.equals == ("Algérie",)


def test_conditions_compile_to_what_they_say() -> None:
    first, second, third = load_directory(VALID, on=DAY).rules

    assert first.when == AllOf(
        (
            Filed(date(2020, 1, 1), date(2021, 1, 1)),
            AllOf(
                (
                    OneOf(Attribute.PERMIT_TYPE, frozenset({"doctorat"})),
                    OneOf(Attribute.REGION, frozenset({"Île-de-France"})),
                )
            ),
        )
    )
    assert first.send_to == ("UD02A",)
    assert second.article == "R5221-15"
    assert second.why == (
        "L'autorisation de travail relève du département qui figure sur le titre de séjour."
    )
    assert second.send_to == (DEPARTMENT_UNIT,)
    assert third.when == AllOf(
        (
            Not(OneOf(Attribute.PERMIT_TYPE, frozenset({"apprentissage", "doctorat"}))),
            Not(OneOf(Attribute.FILER, frozenset({Filer.STUDENT}))),
        )
    )
    assert third.valid_from == date(2019, 1, 1)


def test_a_procedure_can_have_labels_and_ids_of_its_own(edited: Edit) -> None:
    own = "employer, fields: { contract_type: Contrat }, field_ids: { nationality: '98285' } }"
    form = compile_document(edited("procedures.yaml", "employer }", own)).forms[14131]

    assert form.labels[Field.CONTRACT_TYPE] == ("Contrat",)
    assert form.labels[Field.NATIONALITY] == ("Nationalité",)
    assert form.field_ids == {Field.NATIONALITY: "98285"}


def test_a_document_is_compiled_once() -> None:
    document = read_directory(VALID, on=DAY)

    assert compile_document(document) is compile_document(document)


@pytest.mark.parametrize("document", ["", "{}", '{"format":2}', "[]"])
def test_what_is_no_document_is_refused(document: str) -> None:
    with pytest.raises(ValidationError):
        compile_document(document)
