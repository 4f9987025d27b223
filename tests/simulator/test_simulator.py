"""The simulated TPS as a test drives it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing.facts import DossierState
from simulator import Era, Fault, FaultKind, SimulatedForm, Simulator
from simulator.generation import OTHER_CONTRACT

PARIS = SimulatedForm(1, "75")
INTRODUCTION = SimulatedForm(2, "75", "introduction-salarie")
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(clock=lambda: NOON)


def detail(simulator: Simulator, number: int, procedure: int = 1) -> dict[str, Any]:
    body = simulator.detail(procedure, number)
    assert body is not None
    return dict(json.loads(body)["dossier"])


def answers(simulator: Simulator, number: int) -> dict[str, object]:
    return {
        each["type_de_champ"]["libelle"]: each["value"]
        for each in detail(simulator, number)["champs"]
    }


def listed(simulator: Simulator, procedure: int = 1, **query: str) -> list[int]:
    body = simulator.listing(procedure, query)
    assert body is not None
    return [row["id"] for row in json.loads(body)["dossiers"]]


def test_an_ordinary_dossier_is_filed_now_in_the_department_of_its_form(
    simulator: Simulator,
) -> None:
    dossier = simulator.add(PARIS)
    assert (dossier.filed_at, dossier.changed_at) == (NOON, NOON)
    assert simulator.expected(dossier.number) == dossier.truth
    truth = dossier.truth
    assert (truth.permit_type, truth.department, truth.readable) == ("apprentissage", "75", True)
    assert detail(simulator, dossier.number)["initiated_at"] == "2026-11-02T12:00:00.000Z"


def test_a_permit_type_and_a_department_change_the_answers_that_show_them(
    simulator: Simulator,
) -> None:
    dossier = simulator.add(PARIS, permit_type="accord-franco-algerien", department="2A")
    shown = answers(simulator, dossier.number)
    assert shown["Nationalité"] == "ALGERIE"
    assert shown["Département qui figure sur le titre de séjour"] == "2A - Corse-du-Sud"
    simulator.change(dossier.number, permit_type=None, department=None)
    shown = answers(simulator, dossier.number)
    assert shown["Type de contrat"] == OTHER_CONTRACT
    assert shown["Département qui figure sur le titre de séjour"] == "999 - Inconnu"


def test_a_worker_abroad_is_shown_by_the_establishment(simulator: Simulator) -> None:
    dossier = simulator.add(INTRODUCTION, department="69")
    establishment = detail(simulator, dossier.number, 2)["etablissement"]
    assert establishment["code_insee_localite"].startswith("69")


def test_a_value_can_be_anything(simulator: Simulator) -> None:
    dossier = simulator.add(1, values={"Type de contrat": ["a", None]})
    assert answers(simulator, dossier.number)["Type de contrat"] == ["a", None]
    dossier = simulator.add(1, body=b"<html>")
    assert simulator.detail(1, dossier.number) == b"<html>"
    assert not dossier.truth.readable


@pytest.mark.parametrize(
    "defect", ["id", "state", "initiated_at", "champs", "etablissement", "dossier"]
)
def test_a_defect_breaks_one_promise(simulator: Simulator, defect: str) -> None:
    dossier = simulator.add(PARIS, defect=defect)
    whole = simulator.add(PARIS)
    assert not dossier.truth.readable
    broken = json.loads(simulator.detail(1, dossier.number) or b"")
    sound = json.loads(simulator.detail(1, whole.number) or b"")
    same = broken.get("dossier", {}).keys() == sound["dossier"].keys()
    assert same == (defect != "dossier")


def test_a_change_moves_the_date_of_change_only(simulator: Simulator) -> None:
    dossier = simulator.add(PARIS, filed_at=NOON - timedelta(days=3))
    changed = simulator.change(dossier.number, state="received")
    assert (changed.state, changed.filed_at) == (DossierState.RECEIVED, dossier.filed_at)
    assert changed.changed_at == NOON
    assert detail(simulator, dossier.number)["state"] == "received"


def test_a_number_is_given_once(simulator: Simulator) -> None:
    simulator.add(PARIS, number=1_000_002)
    with pytest.raises(ValueError, match="1000002"):
        simulator.add(PARIS, number=1_000_002)
    assert simulator.populate([PARIS], 3) == [1_000_001, 1_000_003, 1_000_004]


def test_a_wrong_change_changes_nothing(simulator: Simulator) -> None:
    number = simulator.add(PARIS).number
    with pytest.raises(TypeError):
        simulator.change(number, colour="blue")
    assert listed(simulator) == [number]


def test_without_a_form_nothing_can_be_filed(simulator: Simulator) -> None:
    with pytest.raises(LookupError):
        simulator.add()
    simulator.open(PARIS)
    assert simulator.add().form is PARIS


def test_a_deleted_dossier_is_nowhere_and_shifts_later_pages(simulator: Simulator) -> None:
    first, *others = simulator.populate([PARIS], 5, oddities=False)
    assert listed(simulator, page="2", resultats_par_page="2") == others[1:3]
    simulator.delete(first)
    assert listed(simulator, page="2", resultats_par_page="2") == others[2:4]
    assert simulator.detail(1, first) is None
    with pytest.raises(KeyError):
        simulator.expected(first)


def test_a_dossier_is_only_found_in_its_own_procedure(simulator: Simulator) -> None:
    number = simulator.add(PARIS).number
    simulator.open(INTRODUCTION)
    assert simulator.detail(2, number) is None
    assert simulator.listing(3, {}) is None


def test_2021_sorts_by_deposit_in_both_directions(simulator: Simulator) -> None:
    late = simulator.add(PARIS, filed_at=NOON).number
    early = simulator.add(PARIS, filed_at=NOON - timedelta(days=1)).number
    simulator.change(early, state="closed")
    assert listed(simulator) == [early, late]
    assert listed(simulator, order="desc") == [late, early]
    assert listed(simulator, order="desc", page="2", resultats_par_page="1") == [early]
    assert listed(simulator, order="desc", page="9") == listed(simulator, page="9") == []


def test_2018_has_no_order_and_moves_what_changes() -> None:
    simulator = Simulator(era=Era.Y2018)
    first, second, third = simulator.populate([PARIS], 3)
    assert listed(simulator, order="desc") == [first, second, third]
    simulator.change(first, state="closed")
    assert listed(simulator) == [second, third, first]


@pytest.mark.parametrize(
    ("asked", "given"), [(None, 100), ("12", 12), ("5000", 1000), ("0", 1), ("many", 100)]
)
def test_a_page_has_at_most_a_thousand_rows(
    simulator: Simulator, asked: str | None, given: int
) -> None:
    simulator.open(PARIS)
    body = simulator.listing(1, {"resultats_par_page": asked} if asked else {})
    assert json.loads(body or b"")["pagination"]["resultats_par_page"] == given


def test_a_label_is_renamed_in_one_form_or_in_all(simulator: Simulator) -> None:
    here = simulator.add(PARIS).number
    there = simulator.add(SimulatedForm(3, "93")).number
    simulator.rename_label("Nom", "Nom de famille", procedure=1)
    assert "Nom de famille" in answers(simulator, here)
    labels = {each["type_de_champ"]["libelle"] for each in detail(simulator, there, 3)["champs"]}
    assert "Nom" in labels


def test_dates_can_have_the_offset_of_paris() -> None:
    simulator = Simulator(paris_dates=True, clock=lambda: NOON)
    number = simulator.add(PARIS).number
    assert detail(simulator, number)["initiated_at"] == "2026-11-02T13:00:00.000+01:00"


def test_faults_are_counted_and_healed(simulator: Simulator) -> None:
    simulator.fail_detail(7, Fault(kind=FaultKind.HTML, times=1))
    assert simulator.faults.of(1, 7) is not None
    assert simulator.faults.of(1, 7) is None
    simulator.fail_procedure(1, 401)
    assert simulator.faults.of(1, None) is not None
    assert simulator.faults.of(2, None) is None
    simulator.throttle(30)
    fault = simulator.faults.of(2, 9)
    assert fault is not None
    assert (fault.status, dict(fault.headers)) == (429, {"Retry-After": "30"})
    simulator.heal()
    assert simulator.faults.of(1, 7) is None
