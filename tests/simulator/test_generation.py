"""Generated dossiers have some of everything, the same from the same seed."""

import subprocess
import sys
from collections import Counter

import pytest

from routing.facts import DossierState
from routing.territory import department_of_insee, departments, read_department, resolve
from simulator import SimulatedForm, Simulator, sample_forms
from simulator.form import places
from simulator.people import person

STUDENT_TYPES = {
    "apprentissage",
    "professionnalisation",
    "interne-medecine",
    "accord-franco-algerien",
    "doctorat",
    "expert-comptable-stagiaire",
}


def test_the_sample_covers_every_department_type_and_state() -> None:
    simulator = Simulator()
    simulator.populate(sample_forms(), 2_000)
    truths = simulator.truths
    assert {truth.department for truth in truths} >= set(places())
    assert {truth.permit_type for truth in truths} >= STUDENT_TYPES | {"introduction-salarie", None}
    assert {truth.state for truth in truths} == set(DossierState)
    assert Counter(truth.readable for truth in truths)[False] == 10


def test_every_department_with_inhabitants_has_places() -> None:
    assert set(departments()) - set(places()) == {"984"}


def test_a_small_series_has_what_real_ones_have_wrong() -> None:
    simulator = Simulator()
    numbers = simulator.populate([SimulatedForm(1, "75")], 200)
    dossiers = [simulator.dossier(number) for number in numbers]
    values = {dossier.permit_department for dossier in dossiers}
    assert {None, "99 - Étranger", "999 - Inconnu", "75 - Nulle-Part", " 75 "} <= values
    assert {"Autre", None} <= {dossier.contract for dossier in dossiers}
    assert {dossier.department for dossier in dossiers} - {"75", None}
    assert [dossier.defect for dossier in dossiers if dossier.defect] == ["id"]


def test_oddities_can_be_left_out() -> None:
    simulator = Simulator()
    numbers = simulator.populate([SimulatedForm(1, "75")], 200, oddities=False)
    dossiers = [simulator.dossier(number) for number in numbers]
    assert {(each.department, each.permit_department) for each in dossiers} == {
        ("75", "75 - Paris")
    }
    assert all(each.truth.readable for each in dossiers)
    assert {each.permit_type for each in dossiers} == STUDENT_TYPES


@pytest.mark.parametrize("en_dash", [False, True])
def test_the_truth_agrees_with_the_official_list(en_dash: bool) -> None:
    simulator = Simulator(en_dash=en_dash)
    for number in simulator.populate(sample_forms(), 500, oddities=False):
        dossier = simulator.dossier(number)
        assert dossier.permit_department is not None
        assert ("–" in dossier.permit_department) == en_dash
        assert read_department(dossier.permit_department).code == dossier.department
        for place in (dossier.home, dossier.work):
            assert department_of_insee(place.insee) == place.department
            assert resolve(place.postal_code, place.commune).department == place.department


def test_the_same_seed_gives_the_same_dossiers() -> None:
    def generated(seed: int) -> list[bytes | None]:
        simulator = Simulator(seed=seed, clock=lambda: until)
        numbers = simulator.populate([SimulatedForm(1, "75")], 20, until=until)
        return [simulator.detail(1, number) for number in numbers]

    until = Simulator().add(SimulatedForm(1, "75")).filed_at
    assert generated(1) == generated(1) != generated(2)


def test_nobody_is_real() -> None:
    for number in range(500):
        somebody = person(number)
        assert somebody == person(number)
        assert somebody.email.endswith(".example")
        assert somebody.phone.startswith("01 99 00 ")


def test_a_hundred_thousand_dossiers_take_less_than_200_megabytes() -> None:
    program = (
        "import os\n"
        "from cli.memory import peak_memory\n"
        "from simulator import Simulator, sample_forms\n"
        "simulator = Simulator()\n"
        "simulator.populate(sample_forms(), 100_000)\n"
        "assert len(simulator) == 100_000\n"
        # Not ru_maxrss: that of the process which forked this one counts in it.
        "print(peak_memory([os.getpid()]))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(ran.stdout) < 200 * 2**20
