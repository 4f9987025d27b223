"""`wif procedures show`, and what `wif doctor` says of the versions of the API."""

import json
import shutil
from pathlib import Path

import pytest

from config.settings import HERE
from simulator import Server, SimulatedForm
from simulator.fields import CONTRACT_TYPE
from simulator.form import STUDENT
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.processes import wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
def settings(harness: Harness, tps: Server, tmp_path: Path) -> dict[str, str]:
    return {
        "WIF_TPS_URL": tps.url,
        "WIF_TPS_TOKEN": tps.simulator.token,
        "WIF_DATABASE_URL": harness.runtime.settings.database,
        "WIF_VAR_DIR": str(tmp_path / "var"),
        "WIF_TPS_PROCEDURES": str(PARIS_FORM),
    }


def test_show_lists_the_fields_and_the_likely_new_label(
    harness: Harness, settings: dict[str, str]
) -> None:
    shown = wif("procedures", "show", str(PARIS_FORM), "--json", **settings)
    assert shown.returncode == 0, shown.stderr
    fields = {each["field"]: each for each in json.loads(shown.stdout)["fields"]}
    assert fields["contract_type"]["label"] == CONTRACT_TYPE
    assert all(each["id"] and each["mismatch"] is None for each in fields.values())

    harness.tps.rename_label(CONTRACT_TYPE, "Nature du contrat")
    shown = wif("procedures", "show", str(PARIS_FORM), "--json", **settings)
    assert shown.returncode == 1
    [field] = [each for each in json.loads(shown.stdout)["fields"] if each["mismatch"]]
    assert (field["field"], field["mismatch"]) == ("contract_type", "missing")
    assert field["likely"][0] == "Nature du contrat"


def test_v1_does_not_say_which_fields_a_form_has(settings: dict[str, str]) -> None:
    shown = wif("procedures", "show", str(PARIS_FORM), **settings, WIF_TPS_API="v1")
    assert shown.returncode == 0
    assert "v2 does" in shown.stdout


def test_resume_refuses_what_is_no_procedure(settings: dict[str, str]) -> None:
    refused = wif("procedures", "resume", "1", **settings)
    assert refused.returncode == 1
    assert refused.stderr.startswith("1: no such procedure")


def test_show_knows_configured_procedures_only(settings: dict[str, str]) -> None:
    refused = wif("procedures", "show", "1", **settings)
    assert refused.returncode != 0
    assert refused.stderr.startswith("1 is not among the procedures in force, nor in")


def test_a_procedure_can_be_looked_at_before_it_is_published(
    harness: Harness, settings: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "config"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = folder / "procedures.yaml"
    added = "procedures:\n  - { id: 120001, kind: apt-etudiant, filer: student }\n"
    path.write_text(path.read_text().replace("procedures:\n", added, 1))
    harness.tps.open(SimulatedForm(120_001, None, STUDENT))
    given = {**settings, "WIF_CONFIG_DIR": str(folder)}
    shown = wif("procedures", "show", "120001", "--json", **given)
    assert shown.returncode == 0, shown.stderr
    assert all(each["id"] for each in json.loads(shown.stdout)["fields"])


@pytest.mark.parametrize(
    ("has_v2", "api", "state", "advice"),
    [
        (True, "v2", "ok", "answers to v1, v2"),
        (True, "v1", "warn", "set WIF_TPS_API=v2"),
        (False, "v2", "wrong", "set WIF_TPS_API=v1"),
        (False, "v1", "ok", "answers to v1"),
    ],
)
def test_doctor_proposes_the_version(
    harness: Harness, settings: dict[str, str], *, has_v2: bool, api: str, state: str, advice: str
) -> None:
    harness.tps.v2.available = has_v2
    found = json.loads(wif("doctor", "--json", **settings, WIF_TPS_API=api).stdout)
    [row] = [each for each in found if each["check"] == "tps api"]
    assert row["state"] == state
    assert advice in row["advice"]
