"""Fields are found by their labels, and looked up anew when the form changes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.tps.errors import FormChanged
from connectors.tps.json_checks import MalformedJson
from connectors.tps.v2.fields import (
    Descriptor,
    FormRevision,
    find,
    global_id,
    revision_of,
    wanted_digest,
)
from routing.failures import Action
from routing.form_fields import FieldMismatch
from routing.forms import Field
from simulator.fields import CONTRACT_TYPE, NATIONALITY, PERMIT_DEPARTMENT
from tests.connectors.tps.samples import LABELS, student_form
from tests.connectors.tps.v2.port import FORM, Reader


def text(label: str, number: int, kind: str = "TextChampDescriptor") -> Descriptor:
    return Descriptor(global_id(str(number)), label, kind)


def revision(*more: Descriptor, without: Field | None = None) -> FormRevision:
    labels = [label for field, (label,) in LABELS.items() if field is not without]
    return FormRevision("r1", (*(text(label, 10 + at) for at, label in enumerate(labels)), *more))


def test_labels_are_compared_as_people_read_them() -> None:
    found = find(FORM, revision(text("TYPE  DE CONTRAT ", 99), without=Field.CONTRACT_TYPE))
    assert found.mismatch == {}
    assert found.ids[Field.CONTRACT_TYPE] == global_id("99")


def test_a_heading_of_the_same_words_is_no_field() -> None:
    heading = text(NATIONALITY, 99, "HeaderSectionChampDescriptor")
    assert find(FORM, revision(heading)).mismatch == {}


def test_a_label_that_is_missing_or_stands_twice_is_trouble() -> None:
    found = find(FORM, revision(text("Nationalité ", 99), without=Field.CONTRACT_TYPE))
    assert found.mismatch == {
        Field.CONTRACT_TYPE: FieldMismatch.MISSING,
        Field.NATIONALITY: FieldMismatch.AMBIGUOUS,
    }


@pytest.mark.parametrize("configured", ["99", global_id("99")])
def test_a_configured_id_wins(configured: str) -> None:
    form = student_form(field_ids={Field.NATIONALITY: configured})
    twice = revision(text("Nationalité ", 99))
    found = find(form, twice)
    assert (found.mismatch, found.ids[Field.NATIONALITY]) == ({}, global_id("99"))
    assert find(form, revision()).mismatch == {Field.NATIONALITY: FieldMismatch.MISSING}


def test_what_is_found_depends_on_what_the_configuration_says() -> None:
    assert wanted_digest(FORM) == wanted_digest(student_form(77))
    other = student_form(field_ids={Field.NATIONALITY: "3"})
    assert wanted_digest(FORM) != wanted_digest(other)


@pytest.mark.parametrize(
    "value",
    [None, {}, {"id": "r", "champDescriptors": None}, {"id": "", "champDescriptors": []},
     {"id": "r", "champDescriptors": [None]}, {"id": "r", "champDescriptors": [{"id": 3}]}],
)  # fmt: skip
def test_a_form_that_is_none(value: object) -> None:
    with pytest.raises(MalformedJson):
        revision_of(value)


class TestOverTheWire:
    """The same, while dossiers are read."""

    def test_a_renamed_label_names_its_field(self, v2: Reader) -> None:
        v2.tps.add(FORM)
        v2.begun()
        v2.tps.rename_label(CONTRACT_TYPE, "Nature du contrat")
        with pytest.raises(FormChanged) as caught:
            v2.changes()
        failure = caught.value
        assert (failure.field, failure.mismatch) == (Field.CONTRACT_TYPE, FieldMismatch.MISSING)
        assert failure.action is Action.PAUSE_PROCEDURE
        assert failure.reason == "tps-form-changed:contract_type"
        assert "contract_type missing" in str(failure)

    def test_configuration_that_follows_makes_it_go_on(self, v2: Reader) -> None:
        number = v2.tps.add(FORM).number
        v2.begun()
        v2.tps.rename_label(CONTRACT_TYPE, "Nature du contrat")
        labels = {**LABELS, Field.CONTRACT_TYPE: ("Type de contrat", "Nature du contrat")}
        v2.form = replace(FORM, labels=labels)
        assert number in v2.changes()

    def test_a_revision_that_changes_no_label_costs_two_requests(self, v2: Reader) -> None:
        v2.tps.add(FORM)
        v2.begun()
        v2.tps.rename_label("Nom", "Nom de famille")
        v2.requests()
        v2.changes()
        assert v2.requests() == 3
        v2.changes()
        assert v2.requests() == 1

    def test_a_field_made_anew_is_read_by_its_new_id(self, v2: Reader) -> None:
        old = v2.tps.add(FORM, permit_type="doctorat").number
        v2.begun()
        v2.wait(hours=1)
        v2.tps.replace_field(CONTRACT_TYPE, 77, procedure=FORM.procedure)
        new = v2.tps.add(FORM, permit_type="doctorat").number
        rows = v2.changes()
        facts = rows[new].facts
        assert facts is not None
        assert facts.permit_type == "doctorat"
        # The older one has the field by its older id: what a page shows of it is not all.
        v2.tps.change(old, state="received")
        row = v2.changes()[old]
        assert (row.facts, row.failure) == (None, None)
        assert v2.facts(old).permit_type == "doctorat"

    def test_an_older_form_is_looked_up_once_in_a_process(self, v2: Reader) -> None:
        numbers = v2.tps.populate([FORM], 3, oddities=False)
        v2.tps.replace_field(CONTRACT_TYPE, 77, procedure=FORM.procedure)
        v2.begun()
        for number, requests in zip(numbers, (3, 2, 2), strict=True):
            v2.requests()
            assert v2.facts(number).permit_type == v2.tps.expected(number).permit_type
            assert v2.requests() == requests

    def test_a_field_that_no_dossier_has_is_looked_up_once_an_hour(self, v2: Reader) -> None:
        v2.begun()
        v2.wait(hours=2)
        v2.tps.populate([FORM], 5, oddities=False)
        v2.everything()
        before = v2.at.fields
        assert before is not None
        # The id vanishes behind the back of the revision.
        known = before.model_copy(
            update={"ids": {**before.ids, Field.NATIONALITY: global_id("1")},
                    "checked_at": v2.now - timedelta(hours=1)}
        )  # fmt: skip
        v2.cursor = v2.at.model_copy(update={"fields": known}).model_dump_json()
        v2.requests()
        rows = v2.everything()
        assert all(row.facts for row in rows.values())
        assert v2.requests() == 3
        after = v2.at.fields
        assert after is not None
        assert after.ids == before.ids

    def test_a_dossier_is_read_without_any_cursor(self, v2: Reader) -> None:
        number = v2.tps.add(FORM, department="2A").number
        assert v2.facts(number).department == "2A"
        assert v2.requests() == 2

    def test_only_what_routing_reads_left_the_server(self, v2: Reader) -> None:
        numbers = v2.tps.populate([FORM], 60)
        v2.tps.retype_field(PERMIT_DEPARTMENT, "departements")
        v2.begun()
        v2.facts(numbers[0])
        assert {each for each in v2.tps.selected if each.startswith("Dossier.")} == {
            "Dossier.number",
            "Dossier.state",
            "Dossier.dateDepot",
            "Dossier.dateDerniereModification",
            "Dossier.demarche",
            "Dossier.groupeInstructeur",
            "Dossier.champs",
        }
