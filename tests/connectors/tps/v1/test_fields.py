"""The few fields that routing reads, found among all of a dossier."""

from typing import Any

import pytest

from connectors.tps.errors import MalformedReason
from connectors.tps.json_checks import MalformedJson
from connectors.tps.v1.fields import read_fields
from routing.forms import Field
from tests.connectors.tps.samples import champ, student_form

FORM = student_form()
CONTRACT = "Type de contrat"
POSTAL_CODE = "Code postal de résidence en France"
DEPARTMENT = "Département qui figure sur le titre de séjour"


def contract(*champs: dict[str, Any]) -> str | None:
    return read_fields(list(champs), FORM).get(Field.CONTRACT_TYPE)


@pytest.mark.parametrize(
    "label",
    [
        "Type de contrat",
        "TYPE DE CONTRAT ",
        "Type\u00a0de  contrat",
        "De\u0301partement qui figure sur le titre de se\u0301jour",
        "département qui figure sur le titre de séjour",
    ],
)
def test_a_label_is_found_however_it_is_spelt(label: str) -> None:
    assert list(read_fields([champ(label, "valeur")], FORM).values()) == ["valeur"]


def test_apostrophes_and_dashes_do_not_matter() -> None:
    labels = {Field.CONTRACT_TYPE: ("Type d'emploi - contrat",)}
    form = student_form()
    form = type(form)(**{**{s: getattr(form, s) for s in form.__slots__}, "labels": labels})
    entries = [champ("Type d’emploi – contrat", "CDD")]
    assert read_fields(entries, form) == {Field.CONTRACT_TYPE: "CDD"}


def test_values_are_kept_as_they_were_typed() -> None:
    assert read_fields([champ(POSTAL_CODE, "75011 ")], FORM) == {
        Field.RESIDENCE_POSTAL_CODE: "75011 "
    }


def test_other_fields_and_keys_are_left_alone() -> None:
    entry = champ(CONTRACT, "CDD") | {"rows": [[{"value": 1}]], "etiquette": None}
    assert read_fields([champ("Nom", {"quoi": "que ce soit"}), entry], FORM) == {
        Field.CONTRACT_TYPE: "CDD"
    }


def test_a_missing_label_is_no_value() -> None:
    assert contract(champ("Nom", "x")) is None


def test_null_is_no_value() -> None:
    assert contract(champ(CONTRACT, None)) == ""


def test_a_duplicated_label_gives_the_value_that_is_there() -> None:
    assert contract(champ(CONTRACT, ""), champ(CONTRACT, "CDD")) == "CDD"
    assert contract(champ(CONTRACT, "CDD"), champ(CONTRACT, " cdd ")) in {"CDD", " cdd "}


def test_a_duplicated_label_with_two_values_does_not_depend_on_the_order() -> None:
    one, other = champ(DEPARTMENT, "75 - Paris"), champ(DEPARTMENT, "93 - Seine-Saint-Denis")
    read = [read_fields(order, FORM) for order in ([one, other], [other, one])]
    assert (
        read[0]
        == read[1]
        == {Field.RESIDENCE_PERMIT_DEPARTMENT: "75 - Paris; 93 - Seine-Saint-Denis"}
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('["contrat d\'apprentissage"]', "contrat d'apprentissage"),
        ('[ "b", "a" ]', "a; b"),
        (["a", None, "b"], "a; b"),
        ("[]", ""),
        ("[pas une liste]", "[pas une liste]"),
        ("true", "true"),
        ("on", "on"),
    ],
)
def test_multiple_choice_is_a_list_inside_a_text(value: object, text: str) -> None:
    assert contract(champ(CONTRACT, value)) == text


def test_a_number_gets_its_leading_zeros_back() -> None:
    entries = [champ(POSTAL_CODE, 1000), champ(DEPARTMENT, 1)]
    assert read_fields(entries, FORM) == {
        Field.RESIDENCE_POSTAL_CODE: "01000",
        Field.RESIDENCE_PERMIT_DEPARTMENT: "01",
    }


@pytest.mark.parametrize("wanted", ["98303", "Q2hhbXAtOTgzMDM="])
def test_an_id_from_the_configuration_wins_over_labels(wanted: str) -> None:
    form = student_form(field_ids={Field.CONTRACT_TYPE: wanted})
    number: Any = int(wanted) if wanted.isdigit() else wanted
    entries = [champ(CONTRACT, "par libellé"), champ("Renommé", "par numéro", number=number)]
    assert read_fields(entries, form) == {Field.CONTRACT_TYPE: "par numéro"}


def test_a_label_still_counts_where_the_configured_id_is_gone() -> None:
    form = student_form(field_ids={Field.CONTRACT_TYPE: "98303"})
    assert read_fields([champ(CONTRACT, "CDD")], form) == {Field.CONTRACT_TYPE: "CDD"}


@pytest.mark.parametrize(
    ("champs", "reason"),
    [
        (None, MalformedReason.FIELDS),
        ({}, MalformedReason.FIELDS),
        (["x"], MalformedReason.FIELDS),
        ([{"value": "x"}], MalformedReason.FIELD),
        ([{"value": "x", "type_de_champ": None}], MalformedReason.FIELD),
        ([{"value": "x", "type_de_champ": {"libelle": None}}], MalformedReason.FIELD),
        ([champ(CONTRACT, value=True)], MalformedReason.VALUE),
        ([champ(CONTRACT, 1.5)], MalformedReason.VALUE),
        ([champ(CONTRACT, {"a": 1})], MalformedReason.VALUE),
        ([champ(CONTRACT, [["a"]])], MalformedReason.VALUE),
        ([champ(CONTRACT, '[{"a": 1}]')], MalformedReason.VALUE),
    ],
)
def test_a_broken_promise_is_named(champs: object, reason: MalformedReason) -> None:
    with pytest.raises(MalformedJson) as caught:
        read_fields(champs, FORM)
    assert caught.value.reason is reason
