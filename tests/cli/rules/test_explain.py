"""`wif rules explain`: why a rule takes a dossier and the others do not."""

import json
from pathlib import Path

import pytest

from tests.cli.rules.edits import paris_goes_to_bobigny
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.processes import wif


def test_explain_given_facts_says_why_not_why_and_where(service: dict[str, str]) -> None:
    given = ("--permit-type", "introduction-salarie", "--department", "93 - Seine-Saint-Denis")

    done = wif("rules", "explain", *given, **service)
    found = json.loads(wif("rules", "explain", *given, "--json", **service).stdout)

    assert "permit_type is introduction-salarie, not" in done.stdout
    assert "Goes to UD093, Unité départementale de la Seine-Saint-Denis" in done.stdout
    assert "<moe.ud093@direccte.example>" in done.stdout
    assert "(R5221-16)" in done.stdout
    assert [(rule["rule"], rule["matched"]) for rule in found["rules"]] == [
        ("etudiants", False),
        ("introduction-salarie", True),
    ]
    assert found["facts"] == {"permit_type": "introduction-salarie", "department": "93"}
    assert found["units"] == [
        {
            "code": "UD093",
            "name": "Unité départementale de la Seine-Saint-Denis",
            "mailbox": "moe.ud093@direccte.example",
        }
    ]
    assert found["previous"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--permit-type", "aprentissage"), "did you mean `apprentissage`?"),
        (("--department", "96"), "no such département"),
        (("--procedure", "13761"), "did you mean `13760`?"),
        (("13760-1",), "PROCEDURE/NUMBER"),
        (("--on", "hier"), "hier"),
    ],
)
def test_explain_says_what_it_cannot_understand(
    options: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = wif("rules", "explain", *options, WIF_VAR_DIR=str(tmp_path))

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stored_dossier_is_explained_with_what_the_version_before_said(
    harness: Harness, service: dict[str, str], files: Path
) -> None:
    number = harness.file(permit_type="doctorat", department="75")
    harness.run()
    paris_goes_to_bobigny(files)
    wif("rules", "publish", str(files), "--yes", "--note", "workload", **service)

    found = json.loads(
        wif("rules", "explain", f"{PARIS_FORM}/{number}", "--json", **service).stdout
    )
    said = wif("rules", "explain", f"{PARIS_FORM}/{number}", **service).stdout

    assert found["outcome"]["units"] == ["UD093"]
    assert found["previous"]["units"] == ["UD075"]
    assert f"{PARIS_FORM}/{number}: doctorat, 75 Paris" in said
    assert "says: UD075, by etudiants" in said


def test_an_unknown_dossier_is_one_line(service: dict[str, str]) -> None:
    done = wif("rules", "explain", "13760/999999", **service)

    assert done.returncode == 1
    assert done.stderr == "13760/999999: no such dossier; see `wif dossiers list`\n"
