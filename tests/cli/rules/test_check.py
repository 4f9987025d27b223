"""`wif rules check`: a line for each mistake, and the exit codes that scripts rely on."""

import json
import shutil
from pathlib import Path

from config.json_schemas import schemas
from tests.cli.rules.edits import edit
from tests.config.wrong_configurations import CASES, VALID
from tests.fixtures.processes import wif


def test_check_says_what_is_right_and_exits_0() -> None:
    done = wif("rules", "check")

    assert (done.returncode, done.stderr) == (0, "")
    assert "no mistake in 37 units, 74 procedures, 8 permit types, 3 rules, 5 examples" in (
        done.stdout
    )


def test_check_prints_a_line_for_each_mistake_and_exits_1(files: Path) -> None:
    edit(files, "units.yaml", "[63 - Puy-de-Dôme]", "[63 - Bas-Rhin]")
    edit(files, "routing.yaml", "fallback: NATIONAL", "fallback: NATIONALE")

    done = wif("rules", "check", str(files))

    assert (done.returncode, done.stderr) == (1, "2 mistakes\n")
    first, second = done.stdout.splitlines()
    assert first.startswith(f"{files}/routing.yaml:")
    assert "unknown-unit: `NATIONALE` is no unit of units.yaml (did you mean `NATIONAL`?)" in first
    assert "department-label-disagrees: `63 - Bas-Rhin`" in second


def test_check_warns_of_a_label_that_may_be_two_and_exits_0(tmp_path: Path) -> None:
    shutil.copytree(VALID, tmp_path, dirs_exist_ok=True)
    label = "Département qui figure sur le titre de séjour"
    edit(tmp_path, "procedures.yaml", label, "Nom, prénom")
    checked = ("rules", "check", str(tmp_path), "--on", "2020-06-15")

    done = wif(*checked)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"warning: {tmp_path}/procedures.yaml:6:")
    (warning,) = json.loads(wif(*checked, "--json").stdout)["warnings"]
    assert warning["text"] == "Nom, prénom"


def test_check_exits_2_when_a_file_cannot_be_read(files: Path) -> None:
    (files / "units.yaml").unlink()

    done = wif("rules", "check", str(files))

    assert done.returncode == 2
    assert f"{files}/units.yaml:1:1: unreadable: cannot be read" in done.stdout


def test_check_refuses_placeholders_in_production_and_when_asked_to(files: Path) -> None:
    asked = wif("rules", "check", str(files), "--production", "--json")

    found = json.loads(asked.stdout)
    assert asked.returncode == 1
    assert found["ruleset"] is None
    assert {mistake["code"] for mistake in found["mistakes"]} == {"mailbox-placeholder"}
    assert set(found["mistakes"][0]) == {
        *("file", "line", "column", "code", "text", "message", "proposal")
    }


def test_check_writes_the_schemas(tmp_path: Path) -> None:
    done = wif("rules", "check", "--schema", str(tmp_path / "schemas"))

    assert done.returncode == 0
    written = {path.name: path.read_text() for path in (tmp_path / "schemas").iterdir()}
    assert written == schemas()


def test_check_never_ends_in_a_traceback(tmp_path: Path) -> None:
    for name, file in (("alias-bomb", "units.yaml"), ("not-utf-8", "routing.yaml")):
        directory = CASES[name].write(tmp_path)
        (directory / file).unlink()
        done = wif("rules", "check", str(directory))
        assert done.returncode == 2
        assert "Traceback" not in done.stdout + done.stderr
