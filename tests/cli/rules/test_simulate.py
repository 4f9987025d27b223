"""`wif rules simulate`: what an edit would move, before it is published."""

import json
from pathlib import Path

from tests.cli.rules.edits import edit, paris_goes_to_bobigny
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.processes import wif


def test_simulate_exits_0_when_nothing_moves(service: dict[str, str], files: Path) -> None:
    edit(files, "units.yaml", "# Les unités qui instruisent", "# Les offices qui instruisent")

    done = wif("rules", "simulate", str(files), **service)

    said = done.stdout.splitlines()[1:]
    assert (done.returncode, said) == (0, ["No difference", "Nothing moves"])


def test_a_mailbox_that_changes_is_shown_before_it_is_published(
    service: dict[str, str], files: Path
) -> None:
    wif("run-once", **service)
    edit(files, "units.yaml", "moe.ud075@direccte.example", "moe.ud75@direccte.example")
    for command in (("simulate", str(files)), ("publish", str(files), "--yes")):
        done = wif("rules", *command, **service)
        assert done.returncode == 0, done
        assert "moe.ud075@direccte.example" in done.stdout
        assert "moe.ud75@direccte.example" in done.stdout
        assert "Nothing moves" in done.stdout


def test_a_new_form_that_tps_does_not_know_is_said_before_publishing(
    harness: Harness, service: dict[str, str], files: Path
) -> None:
    wif("run-once", **service)
    edit(
        files,
        "procedures.yaml",
        "procedures:\n",
        "procedures:\n  - id: 99999\n    department: 75 - Paris\n    kind: apt-etudiant\n"
        "    filer: student\n",
    )
    simulated = wif("rules", "simulate", str(files), "--json", **service)
    assert json.loads(simulated.stdout)["forms"] == {"unknown": [99999], "failure": None}
    simulated = wif("rules", "simulate", str(files), **service)
    assert "TPS does not know procedure 99999" in simulated.stderr
    done = wif("rules", "publish", str(files), "--yes", **service)
    assert "TPS does not know procedure 99999" in done.stderr, done
    harness.tps.fail_all(503)
    back = wif("rules", "rollback", "--previous", "--yes", "--json", **service)
    assert json.loads(back.stdout)["simulation"]["forms"] == {"unknown": [], "failure": None}
    done = wif("rules", "publish", str(files), "--yes", "--json", **service)
    assert json.loads(done.stdout)["simulation"]["forms"]["failure"] == "tps-unavailable"


def test_simulate_counts_stored_dossiers_and_cases_to_come_and_exits_3(
    harness: Harness, service: dict[str, str], files: Path
) -> None:
    moving = [harness.file(permit_type="doctorat", department="75") for _ in range(3)]
    harness.file(permit_type="doctorat", department="75", state="closed")
    harness.file(permit_type="doctorat", department="93")
    pinned = harness.file(permit_type="doctorat", department="75")
    harness.run()
    wif("dossiers", "reassign", f"{PARIS_FORM}/{pinned}", "--to", "UD092", "--reason", "moved",
        **service)  # fmt: skip
    paris_goes_to_bobigny(files)

    done = wif("rules", "simulate", str(files), "--json", **service)

    found = json.loads(done.stdout)
    assert done.returncode == 3
    assert found["moves"] is True
    (dossiers,) = found["dossiers"]
    assert (dossiers["from"], dossiers["to"]) == (["UD075"], ["UD093"])
    assert (dossiers["rule_before"], dossiers["rule_after"]) == ("etudiants", "doctorants-de-paris")
    assert (dossiers["undecided"], dossiers["decided"]) == (3, 1)
    assert dossiers["dossiers"] == [f"{PARIS_FORM}/{number}" for number in moving]
    (cases,) = found["cases"]
    assert (cases["departments"], cases["permit_types"]) == (["75"], ["doctorat"])
    assert "Stored dossiers" in wif("rules", "simulate", str(files), **service).stdout
