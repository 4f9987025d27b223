"""`wif rules diff`: files and rule sets compared."""

import json
from pathlib import Path

from tests.cli.rules.edits import edit
from tests.fixtures.processes import wif


def test_diff_compares_files_and_rule_sets(service: dict[str, str], files: Path) -> None:
    wif("run-once", **service)
    edit(files, "units.yaml", "Unité départementale de Paris", "Unité de Paris")
    assert wif("rules", "publish", str(files), "--yes", **service).returncode == 0
    new, old = [
        each["hash"] for each in json.loads(wif("rules", "history", "--json", **service).stdout)
    ]
    (found,) = json.loads(wif("rules", "diff", old, new, "--json", **service).stdout)
    assert (found["section"], found["entry"], found["field"]) == ("units", "UD075", "name")
    assert (found["before"], found["after"]) == (
        "Unité départementale de Paris",
        "Unité de Paris",
    )
    back = wif("rules", "rollback", "--previous", "--yes", **service)
    assert (back.returncode, "warning: the last" in back.stderr) == (0, False)
    assert json.loads(wif("rules", "diff", old, "--json", **service).stdout) == []
    again = wif("rules", "rollback", "--previous", "--yes", **service)
    assert again.stderr.startswith("warning: the last change was a rollback; this undoes it")
    assert wif("rules", "rollback", **service).returncode == 2
