"""Typed answers become the text that routing compares, and v1 and v2 tell the same of a dossier."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.tps.v1.client import V1Client
from connectors.tps.v2.answers import answers_of, is_absent
from routing.facts import Competence, DepartmentSource, Filer
from routing.forms import Field, Form
from simulator.fields import COMMUNE, CONTRACT_TYPE, NATIONALITY, PERMIT_DEPARTMENT, POSTAL_CODE
from tests.connectors.tps.samples import PERMIT_TYPES
from tests.connectors.tps.v2.port import FORM, Reader, reader

DEPARTMENT = Field.RESIDENCE_PERMIT_DEPARTMENT
PARIS = {"code": "75", "name": "Paris"}
ADDRESS = {"departmentCode": "75", "cityName": "Paris", "postalCode": "75011"}


@pytest.mark.parametrize(
    ("field", "champ", "expected"),
    [
        (DEPARTMENT, {"__typename": "DepartementChamp", "departement": PARIS}, "75 - Paris"),
        (DEPARTMENT, {"__typename": "DepartementChamp", "departement": {"code": "2A"}}, "2A"),
        (DEPARTMENT, {"__typename": "DepartementChamp", "stringValue": "69 – Rhône",
                      "departement": None}, "69 – Rhône"),
        (DEPARTMENT, {"__typename": "CommuneChamp", "departement": PARIS, "stringValue": "P"},
         "75"),
        (DEPARTMENT, {"__typename": "AddressChamp", "address": ADDRESS}, "75"),
        (DEPARTMENT, {"__typename": "DropDownListChamp", "stringValue": "75 - Paris"},
         "75 - Paris"),
        (DEPARTMENT, {"__typename": "TextChamp", "stringValue": " 971 "}, " 971 "),
        (DEPARTMENT, {"__typename": "IntegerNumberChamp", "stringValue": "1"}, "01"),
        (Field.RESIDENCE_POSTAL_CODE, {"__typename": "AddressChamp", "address": ADDRESS}, "75011"),
        (Field.RESIDENCE_POSTAL_CODE, {"__typename": "IntegerNumberChamp", "stringValue": "1000"},
         "01000"),
        (Field.RESIDENCE_COMMUNE, {"__typename": "AddressChamp", "address": ADDRESS}, "Paris"),
        (Field.RESIDENCE_COMMUNE, {"__typename": "CommuneChamp",
                                   "commune": {"name": "Paris", "postalCode": "75011"}}, "Paris"),
        (Field.NATIONALITY, {"__typename": "PaysChamp", "pays": {"name": "Algérie"}}, "Algérie"),
        (Field.NATIONALITY, {"__typename": "PaysChamp", "pays": None, "stringValue": "ALGERIE"},
         "ALGERIE"),
        (Field.NATIONALITY, {"__typename": "RegionChamp", "region": {"name": "Bretagne"}},
         "Bretagne"),
        (Field.CONTRACT_TYPE, {"__typename": "MultipleDropDownListChamp", "values": ["b", "a"]},
         "a; b"),
        (Field.CONTRACT_TYPE, {"__typename": "LinkedDropDownListChamp", "primaryValue": "x",
                               "secondaryValue": None}, "x"),
        (Field.CONTRACT_TYPE, {"__typename": "ChampThatIsNew", "stringValue": "y"}, "y"),
        (Field.CONTRACT_TYPE, {"__typename": "AddressChamp", "address": ADDRESS,
                               "stringValue": "1 rue du Modèle"}, ""),
        (Field.CONTRACT_TYPE, {"stringValue": None}, ""),
        (Field.CONTRACT_TYPE, {"__typename": "PaysChamp", "pays": "not an object"}, ""),
    ],
)  # fmt: skip
def test_each_type_by_what_it_has(field: Field, champ: dict[str, Any], expected: str) -> None:
    assert answers_of({field.value: [champ]}, [field]).value(field) == expected


def test_a_field_that_is_absent_is_told_from_a_blank_one() -> None:
    assert is_absent({"nationality": []}, Field.NATIONALITY)
    assert is_absent({}, Field.NATIONALITY)
    assert not is_absent({"nationality": [{"stringValue": ""}]}, Field.NATIONALITY)


def introduction_form() -> Form:
    return Form(
        procedure=2,
        department="75",
        kind="introduction-salarie",
        filer=Filer.EMPLOYER,
        competence=Competence.ESTABLISHMENT,
        labels={},
    )


def test_a_form_that_the_establishment_decides_asks_for_its_commune() -> None:
    with reader(introduction_form()) as v2:
        number = v2.tps.add(v2.form, department="69").number
        facts = v2.everything()[number].facts
        assert facts == v2.facts(number)
        assert facts is not None
        assert facts.department == "69"
        assert facts.department_source is DepartmentSource.ESTABLISHMENT_INSEE
        assert {"PersonneMorale.address", "Address.cityCode"} <= v2.tps.selected
        assert "Address.label" not in v2.tps.selected


def test_the_text_of_an_address_is_not_asked_for(v2: Reader) -> None:
    v2.tps.retype_field(COMMUNE, "address")
    number = v2.tps.add(FORM).number
    facts = v2.everything()[number].facts
    assert facts is not None
    assert facts.permit_type == v2.tps.expected(number).permit_type
    assert "AddressChamp.stringValue" not in v2.tps.selected


VALUES = {
    PERMIT_DEPARTMENT: st.sampled_from(
        ["75 - Paris", "69 – Rhône", "2a", "2A - Corse-du-Sud", "971 - Guadeloupe", "99 - Étranger",
         "999 - Inconnu", "", None, "75 - Nulle-Part", " 75 ", "paris"]
    ),
    POSTAL_CODE: st.sampled_from(["75011 ", "20090", "33220", "42620", "97110", "", None, "abc"]),
    COMMUNE: st.sampled_from(["Paris", "Port-Sainte-Foy-et-Ponchapt", "", None]),
    CONTRACT_TYPE: st.sampled_from(
        ["contrat d'apprentissage", "Contrat d’apprentissage ", "INTERNE EN ME\u0301DECINE",
         "Autre", "", None, '["contrat doctoral","Autre"]', '["Autre"]', "[pas une liste"]
    ),
    NATIONALITY: st.sampled_from(["ALGERIE", "Algérie", "MAROC", "", None]),
}  # fmt: skip
KINDS = {
    PERMIT_DEPARTMENT: st.sampled_from(["drop_down_list", "text", "departements"]),
    NATIONALITY: st.sampled_from(["pays", "text", "drop_down_list"]),
    CONTRACT_TYPE: st.sampled_from(["drop_down_list", "text", "multiple_drop_down_list"]),
}


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[V1Client, Reader]]:
    with reader() as v2:
        client = V1Client(base_url=v2.server.url, token=lambda: v2.tps.token)
        yield client, v2
        client.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    values=st.fixed_dictionaries({}, optional=VALUES),
    kinds=st.fixed_dictionaries(KINDS),
    state=st.sampled_from(["initiated", "received", "closed", "refused", "without_continuation"]),
    filed_at=st.datetimes(datetime(2018, 3, 1), datetime(2026, 11, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_v1_and_v2_of_the_same_dossier_always_route_alike(
    both: tuple[V1Client, Reader],
    values: dict[str, object],
    kinds: dict[str, str],
    state: str,
    filed_at: datetime,
) -> None:
    v1, v2 = both
    for label, kind in kinds.items():
        if dict(v2.tps.state.procedures[FORM.procedure].active.kinds).get(label) != kind:
            v2.tps.retype_field(label, kind)
    moment = filed_at.replace(microsecond=0)
    number = v2.tps.add(FORM, values=values, state=state, filed_at=moment).number
    assert v2.facts(number) == v1.read(FORM, number, PERMIT_TYPES)


@pytest.mark.parametrize("form", [FORM, introduction_form()], ids=["student", "introduction"])
def test_every_generated_dossier_is_read_alike(form: Form) -> None:
    with reader(form) as v2:
        v1 = V1Client(base_url=v2.server.url, token=lambda: v2.tps.token)
        numbers = v2.tps.populate([form], 150, until=v2.now)
        rows = v2.everything()
        readable = [number for number in numbers if v2.tps.expected(number).readable]
        for number in readable:
            row = rows[number]
            assert (row.facts or v2.facts(number)) == v1.read(form, number, PERMIT_TYPES)
        v1.close()
