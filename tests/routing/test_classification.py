"""A dossier's permit type and département of competence, and every reason recorded on the way."""

import copy
import json
import pickle
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.classification import Answers, Classification, classify
from routing.facts import Competence, DepartmentSource, Filer, Reason
from routing.forms import Field, Form, PermitType, Recognition
from routing.territory import communes, departments


def permit_type(code: str, competence: Competence, recognition: Recognition) -> PermitType:
    return PermitType(code=code, label=code, competence=competence, recognition=recognition)


def by_contract(code: str, *, kinds: frozenset[str] = frozenset(), phrase: str = "") -> PermitType:
    recognition = Recognition(kinds=kinds, field=Field.CONTRACT_TYPE, contains=(phrase or code,))
    return permit_type(code, Competence.RESIDENCE_PERMIT, recognition)


STUDENT = frozenset({"apt-etudiant"})

PERMIT_TYPES = (
    permit_type(
        "introduction-salarie",
        Competence.ESTABLISHMENT,
        Recognition(kinds=frozenset({"introduction-salarie"})),
    ),
    by_contract("apprentissage", kinds=STUDENT),
    by_contract("professionnalisation", kinds=STUDENT),
    by_contract("interne-medecine", kinds=STUDENT, phrase="interne en médecine"),
    permit_type(
        "accord-franco-algerien",
        Competence.RESIDENCE_PERMIT,
        Recognition(kinds=STUDENT, field=Field.NATIONALITY, equals=("ALGERIE",)),
    ),
)


def form(
    *,
    department: str | None = "75",
    kind: str = "apt-etudiant",
    competence: Competence = Competence.RESIDENCE_PERMIT,
) -> Form:
    return Form(
        procedure=1,
        department=department,
        kind=kind,
        filer=Filer.STUDENT,
        competence=competence,
        labels={},
    )


ORDINARY = {
    Field.RESIDENCE_PERMIT_DEPARTMENT: "75 - Paris",
    Field.RESIDENCE_POSTAL_CODE: "75011 ",
    Field.RESIDENCE_COMMUNE: "Paris ",
    Field.CONTRACT_TYPE: "contrat d'apprentissage",
    Field.NATIONALITY: "CAMEROUN",
}


def classified(
    changes: Mapping[Field, str | None] | None = None,
    *,
    on: Form | None = None,
    insee: str | None = None,
    postal_code: str | None = None,
    commune: str | None = None,
) -> Classification:
    answers = Answers(
        {**ORDINARY, **(changes or {})},
        establishment_insee=insee,
        establishment_postal_code=postal_code,
        establishment_commune=commune,
    )
    return classify(on or form(), answers, PERMIT_TYPES)


INTRODUCTION = form(kind="introduction-salarie", competence=Competence.ESTABLISHMENT)


class TestPermitType:
    @pytest.mark.parametrize(
        ("contract", "code"),
        [
            ("contrat d'apprentissage", "apprentissage"),
            (" CONTRAT D’APPRENTISSAGE", "apprentissage"),
            ("contrat de professionnalisation", "professionnalisation"),
            ("Interne en me\u0301decine", "interne-medecine"),
        ],
    )
    def test_is_read_in_the_contract_however_it_is_spelt(self, contract: str, code: str) -> None:
        assert classified({Field.CONTRACT_TYPE: contract}).permit_type == code

    @pytest.mark.parametrize("contract", ["apprentissages", "préapprentissage", "Autre"])
    def test_needs_whole_words(self, contract: str) -> None:
        found = classified({Field.CONTRACT_TYPE: contract})
        assert found.permit_type is None
        assert found.reasons == (Reason.PERMIT_TYPE_UNKNOWN,)

    @pytest.mark.parametrize("country", ["ALGERIE", "Algérie", "alge\u0301rie "])
    def test_is_the_agreement_for_an_algerian_whose_contract_is_none_of_the_three(
        self, country: str
    ) -> None:
        contract = "contrat à durée déterminée (CDD)"
        found = classified({Field.CONTRACT_TYPE: contract, Field.NATIONALITY: country})
        assert found.permit_type == "accord-franco-algerien"

    def test_follows_the_configured_order(self) -> None:
        assert classified({Field.NATIONALITY: "ALGERIE"}).permit_type == "apprentissage"

    def test_can_be_told_by_the_kind_of_form_alone(self) -> None:
        found = classified(on=INTRODUCTION, insee="75111")
        assert found.permit_type == "introduction-salarie"

    @pytest.mark.parametrize("contract", [None, "", " \u00a0"])
    def test_is_missing_when_the_field_that_tells_is_blank(self, contract: str | None) -> None:
        found = classified({Field.CONTRACT_TYPE: contract})
        assert found.permit_type is None
        assert found.reasons == (Reason.PERMIT_TYPE_MISSING,)

    def test_must_satisfy_equals_and_contains_where_both_are_given(self) -> None:
        recognition = Recognition(
            field=Field.CONTRACT_TYPE, equals=("contrat doctoral",), contains=("doctoral",)
        )
        both = permit_type("doctorat", Competence.RESIDENCE_PERMIT, recognition)
        for contract, code in {"Contrat doctoral": "doctorat", "doctoral": None}.items():
            answers = Answers({Field.CONTRACT_TYPE: contract})
            assert classify(form(), answers, [both]).permit_type == code


class TestResidencePermit:
    def test_decides_whatever_the_employer_s_address(self) -> None:
        found = classified(insee="92026", postal_code="92400")
        assert found.department == "75"
        assert found.department_source is DepartmentSource.RESIDENCE_PERMIT
        assert found.reasons == ()

    @pytest.mark.parametrize(
        ("value", "code"), [("69 – Rhône", "69"), ("2a", "2A"), ("971", "971"), (" 01 - Ain", "01")]
    )
    def test_is_read_in_every_spelling(self, value: str, code: str) -> None:
        assert classified({Field.RESIDENCE_PERMIT_DEPARTMENT: value}).department == code

    def test_of_another_department_than_the_form_s_is_told(self) -> None:
        changes: dict[Field, str | None] = {
            Field.RESIDENCE_PERMIT_DEPARTMENT: "93 - Seine-Saint-Denis",
            Field.RESIDENCE_POSTAL_CODE: "93100",
        }
        found = classified(changes)
        assert found.department == "93"
        assert found.reasons == (Reason.RESIDENCE_DIFFERS_FROM_FORM,)

    def test_on_a_national_form_differs_from_nothing(self) -> None:
        assert classified(on=form(department=None)).reasons == ()

    def test_that_the_postal_code_contradicts_still_decides(self) -> None:
        found = classified({Field.RESIDENCE_POSTAL_CODE: "93100"})
        assert found.department == "75"
        assert found.reasons == (Reason.RESIDENCE_DIFFERS_FROM_PERMIT,)

    @pytest.mark.parametrize("code", ["", "inconnu", "99999", "42620"])
    def test_is_not_contradicted_by_a_postal_code_that_tells_nothing(self, code: str) -> None:
        changes = {
            Field.RESIDENCE_PERMIT_DEPARTMENT: "42 - Loire",
            Field.RESIDENCE_POSTAL_CODE: code,
            Field.RESIDENCE_COMMUNE: "",
        }
        assert classified(changes, on=form(department="42")).reasons == ()

    def test_is_contradicted_by_a_shared_postal_code_of_two_other_departments(self) -> None:
        changes = {Field.RESIDENCE_POSTAL_CODE: "42620", Field.RESIDENCE_COMMUNE: ""}
        assert classified(changes).reasons == (Reason.RESIDENCE_DIFFERS_FROM_PERMIT,)

    def test_whose_label_disagrees_follows_the_code_and_says_so(self) -> None:
        changes = {
            Field.RESIDENCE_PERMIT_DEPARTMENT: "63 - Bas-Rhin",
            Field.RESIDENCE_POSTAL_CODE: "63000",
        }
        found = classified(changes, on=form(department="63"))
        assert found.department == "63"
        assert found.reasons == (Reason.DEPARTMENT_LABEL_DISAGREES,)

    @pytest.mark.parametrize("value", ["999 - X", "Autre", "20 - Corse"])
    def test_that_is_present_but_unknown_is_never_replaced_by_the_postal_code(
        self, value: str
    ) -> None:
        found = classified({Field.RESIDENCE_PERMIT_DEPARTMENT: value})
        assert found.department is None
        assert found.department_source is DepartmentSource.NONE
        assert found.reasons == (Reason.DEPARTMENT_UNKNOWN,)

    def test_abroad_is_said_to_be_abroad(self) -> None:
        found = classified({Field.RESIDENCE_PERMIT_DEPARTMENT: "99 - Étranger"})
        assert found.department is None
        assert found.reasons == (Reason.DEPARTMENT_ABROAD,)


class TestBlankResidencePermit:
    @staticmethod
    def found(code: str, commune: str = "", *, department: str = "75") -> Classification:
        changes = {
            Field.RESIDENCE_PERMIT_DEPARTMENT: None,
            Field.RESIDENCE_POSTAL_CODE: code,
            Field.RESIDENCE_COMMUNE: commune,
        }
        return classified(changes, on=form(department=department))

    def test_falls_back_to_the_postal_code_of_residence(self) -> None:
        found = self.found(" 75011 ")
        assert found.department == "75"
        assert found.department_source is DepartmentSource.RESIDENCE_POSTAL_CODE
        assert found.reasons == (Reason.DEPARTMENT_FROM_POSTAL_CODE,)

    def test_compares_the_fall_back_with_the_form(self) -> None:
        assert self.found("93100").reasons == (
            Reason.RESIDENCE_DIFFERS_FROM_FORM,
            Reason.DEPARTMENT_FROM_POSTAL_CODE,
        )

    def test_lets_the_commune_tell_where_the_code_is_shared(self) -> None:
        shared = {
            commune.department: commune.name
            for commune in communes()["42620"]
            if commune.department == "03"
        }
        assert self.found("42620", shared["03"]).department == "03"

    def test_does_not_guess_where_the_code_is_shared_and_the_commune_unknown(self) -> None:
        found = self.found("42620", "Ailleurs")
        assert found.department is None
        assert found.reasons == (Reason.DEPARTMENT_MISSING, Reason.POSTAL_CODE_AMBIGUOUS)

    def test_says_when_the_postal_code_is_unknown(self) -> None:
        found = self.found("ABCDE")
        assert found.department is None
        assert found.reasons == (Reason.DEPARTMENT_MISSING, Reason.POSTAL_CODE_UNKNOWN)

    def test_is_missing_without_a_postal_code(self) -> None:
        found = self.found(" ")
        assert found.department is None
        assert found.department_source is DepartmentSource.NONE
        assert found.reasons == (Reason.DEPARTMENT_MISSING,)


class TestEstablishment:
    def test_decides_for_a_worker_who_is_still_abroad(self) -> None:
        found = classified(on=INTRODUCTION, insee="75111", postal_code="92400")
        assert found.department == "75"
        assert found.department_source is DepartmentSource.ESTABLISHMENT_INSEE
        assert found.reasons == ()

    def test_elsewhere_than_the_form_is_told(self) -> None:
        found = classified(on=INTRODUCTION, insee=" 92026 ")
        assert found.department == "92"
        assert found.reasons == (Reason.ESTABLISHMENT_DIFFERS_FROM_FORM,)

    def test_falls_back_to_its_postal_code(self) -> None:
        found = classified(on=INTRODUCTION, postal_code="92400")
        assert found.department == "92"
        assert found.department_source is DepartmentSource.ESTABLISHMENT_POSTAL_CODE
        assert found.reasons == (
            Reason.ESTABLISHMENT_DIFFERS_FROM_FORM,
            Reason.DEPARTMENT_FROM_POSTAL_CODE,
        )

    def test_may_need_its_commune_to_tell(self) -> None:
        commune = next(each.name for each in communes()["42620"] if each.department == "42")
        found = classified(on=INTRODUCTION, postal_code="42620", commune=commune)
        assert found.department == "42"

    @pytest.mark.parametrize(
        ("insee", "reason"),
        [("00000", Reason.DEPARTMENT_UNKNOWN), ("99352", Reason.DEPARTMENT_ABROAD)],
    )
    def test_present_but_unknown_is_not_replaced_by_the_postal_code(
        self, insee: str, reason: Reason
    ) -> None:
        found = classified(on=INTRODUCTION, insee=insee, postal_code="75011")
        assert found.department is None
        assert found.reasons == (reason,)

    def test_missing_is_told(self) -> None:
        assert classified(on=INTRODUCTION).reasons == (Reason.DEPARTMENT_MISSING,)

    def test_decides_on_its_form_while_the_permit_type_is_unknown(self) -> None:
        found = classify(INTRODUCTION, Answers({}, establishment_insee="2A004"), ())
        assert found.permit_type is None
        assert found.department == "2A"


class TestAnswers:
    canary = "Zoé-Ménard-canari"

    def answers(self) -> Answers:
        return Answers(
            dict.fromkeys(Field, self.canary),
            establishment_insee=self.canary,
            establishment_postal_code=self.canary,
        )

    def test_show_nothing_of_themselves(self) -> None:
        shown = f"{self.answers()} {self.answers()!r} {[self.answers()]} {vars(Answers).keys()}"
        assert self.canary not in shown

    @pytest.mark.parametrize("carry", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars])
    def test_cannot_be_carried_away(self, carry: object) -> None:
        assert callable(carry)
        with pytest.raises(TypeError) as error:
            carry(self.answers())
        assert self.canary not in str(error.value)


texts = st.none() | st.text() | st.sampled_from(["75 - Paris", "2a", "99", "42620", "Algérie"])
forms = st.builds(
    form,
    department=st.none() | st.sampled_from(sorted(departments())),
    kind=st.sampled_from(["apt-etudiant", "introduction-salarie", "changement-statut"]),
    competence=st.sampled_from(Competence),
)
all_answers = st.builds(
    Answers,
    st.dictionaries(st.sampled_from(Field), texts),
    establishment_insee=texts,
    establishment_postal_code=texts,
    establishment_commune=texts,
)


@given(on=forms, answers=all_answers)
def test_whatever_is_typed_the_outcome_is_consistent(on: Form, answers: Answers) -> None:
    found = classify(on, answers, PERMIT_TYPES)
    gaps = {
        Reason.DEPARTMENT_MISSING,
        Reason.DEPARTMENT_UNKNOWN,
        Reason.DEPARTMENT_ABROAD,
    }
    no_type = {Reason.PERMIT_TYPE_MISSING, Reason.PERMIT_TYPE_UNKNOWN}
    assert found.department is None or found.department in departments()
    assert (found.department is None) == (found.department_source is DepartmentSource.NONE)
    assert len(gaps.intersection(found.reasons)) == (found.department is None)
    assert len(no_type.intersection(found.reasons)) == (found.permit_type is None)
    assert list(found.reasons) == [reason for reason in Reason if reason in found.reasons]
