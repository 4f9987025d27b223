"""The `wif` command as a user meets it: as a process, with its output and its exit code."""

import json
from pathlib import Path

import pytest

from connectors.tps.simulator import Server
from routing.forms import Form
from tests.processes import wif
from tests.stage import PARIS_FORM, Stage

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""What differs between the engines is tested below the command."""


@pytest.fixture
def settings(stage: Stage, tps: Server, tmp_path: Path) -> dict[str, str]:
    """Settings of a service on the stage's database."""
    return {
        "WIF_TPS_URL": tps.url,
        "WIF_TPS_TOKEN": tps.simulator.token,
        "WIF_DATABASE_URL": stage.runtime.settings.database,
        "WIF_VAR_DIR": str(tmp_path / "var"),
        "WIF_OUTBOX_DIR": str(stage.outbox),
        "WIF_TPS_PROCEDURES": stage.runtime.settings.tps_procedures,
    }


@pytest.fixture
def paris(stage: Stage) -> Form:
    return stage.form(PARIS_FORM)


def test_run_once_routes_what_is_listed_and_a_second_run_sends_nothing(
    stage: Stage, settings: dict[str, str], paris: Form
) -> None:
    stage.tps.populate([paris], 20, oddities=False)
    first, second = wif("run-once", "--json", **settings), wif("run-once", "--json", **settings)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert json.loads(first.stdout)["sent"] == 20
    assert json.loads(second.stdout)["sent"] == 0


def test_run_once_does_not_exit_0_when_something_failed(
    stage: Stage, settings: dict[str, str], paris: Form
) -> None:
    bad = stage.tps.add(paris).number
    stage.tps.fail_detail(bad, 500)
    assert wif("run-once", **settings).returncode == 1


def test_listings_carry_the_names_that_scripts_rely_on(
    stage: Stage, settings: dict[str, str], paris: Form
) -> None:
    stage.tps.add(paris, department="2A", permit_type="apprentissage")
    wif("run-once", **settings)
    (dossier,) = json.loads(wif("dossiers", "list", "--json", **settings).stdout)
    (delivery,) = json.loads(wif("deliveries", "list", "--json", **settings).stdout)
    assert dossier["department"] == delivery["department"] == "2A"
    assert dossier["permit_type"] == delivery["permit_type"] == "apprentissage"
    assert set(dossier) >= {"procedure", "number", "status", "unit", "rule", "reason"}
    assert set(delivery) >= {"event", "unit", "channel", "state", "attempts"}
    assert dossier["reason"].endswith("department-not-served")


def test_a_stopped_procedure_shows_in_the_status(stage: Stage, settings: dict[str, str]) -> None:
    stage.tps.fail_procedure(PARIS_FORM, 401)
    wif("run-once", **settings)
    status = json.loads(wif("status", "--json", **settings).stdout)
    (needy,) = status["procedures_to_look_at"]
    assert (needy["procedure"], needy["status"]) == (PARIS_FORM, "stopped")
    assert needy["reason"] == "tps-unauthorized"


def test_a_dossier_is_reassigned_by_hand_and_stays_until_it_is_unpinned(
    stage: Stage, settings: dict[str, str], paris: Form
) -> None:
    number = stage.tps.add(paris, department="75").number
    wif("run-once", **settings)
    key = f"{PARIS_FORM}/{number}"
    moved = wif("dossiers", "reassign", key, "--to", "UD093", "--reason", "moved", **settings)
    assert moved.stdout.strip() == f"{key}: UD093"
    stage.tps.change(number, department="92")
    wif("run-once", **settings)
    assert stage.dossier(number).assignment.units == ("UD093",)
    back = wif("dossiers", "reassign", key, "--unpin", **settings)
    assert back.stdout.strip() == f"{key}: UD092"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--to", "UD999", "--reason", "moved"), "UD999: no unit"),
        (("--to", "UD093", "--reason", "Mme Martin l'a dit"), "must be a code"),
        ((), "give --to UNIT and --reason CODE"),
    ],
)
def test_a_reassignment_that_will_not_do_is_refused_in_one_line(
    stage: Stage, settings: dict[str, str], paris: Form, arguments: tuple[str, ...], says: str
) -> None:
    number = stage.tps.add(paris).number
    wif("run-once", **settings)
    refused = wif("dossiers", "reassign", f"{PARIS_FORM}/{number}", *arguments, **settings)
    assert refused.returncode != 0
    assert says in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "Martin" not in refused.stderr
