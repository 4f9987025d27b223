"""`wif rules publish`, `history` and `rollback`: what is shown, asked, stored and re-routed."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from store import rulesets
from tests.cli.rules.edits import edit, paris_goes_to_bobigny
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.processes import wif


@pytest.mark.parametrize(
    ("note", "says"),
    [
        ("Mme Dupont a déménagé", "--note: takes a code"),
        ("mailbox-change", "did you mean `mailbox-changed`?"),
    ],
)
def test_a_note_in_words_of_ones_own_is_refused_and_not_repeated(
    harness: Harness, service: dict[str, str], files: Path, note: str, says: str
) -> None:
    wif("run-once", **service)
    paris_goes_to_bobigny(files)
    done = wif("rules", "publish", str(files), "--yes", "--note", note, **service)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Dupont" not in done.stderr
    assert len(_rows(service)) == 1


def test_simulate_and_publish_refuse_mistakes(
    service: dict[str, str], files: Path, harness: Harness
) -> None:
    edit(files, "routing.yaml", "fallback: NATIONAL", "fallback: NATIONALE")

    for command in ("simulate", "publish"):
        done = wif("rules", command, str(files), **service)
        assert done.returncode == 1
        assert "unknown-unit" in done.stderr

    assert len(_history(harness)) == 1


def _history(harness: Harness) -> list[tuple[str, str]]:
    with harness.runtime.database.read() as connection:
        return [(one.action, one.note) for one in rulesets.history(connection)]


def test_publish_puts_the_files_in_force_and_reroutes_what_is_open(
    harness: Harness, service: dict[str, str], files: Path
) -> None:
    moving = harness.file(permit_type="doctorat", department="75")
    closed = harness.file(permit_type="doctorat", department="75", state="closed")
    pinned = harness.file(permit_type="doctorat", department="75")
    harness.run()
    wif("dossiers", "reassign", f"{PARIS_FORM}/{pinned}", "--to", "UD092", "--reason", "moved",
        **service)  # fmt: skip
    paris_goes_to_bobigny(files)

    done = wif(
        *("rules", "publish", str(files), "--note", "workload", "--reroute", "open"),
        *("--yes", "--json"),
        **service,
    )
    wif("run-once", **service)

    found = json.loads(done.stdout)
    assert (done.returncode, found["activated"]) == (0, True)
    assert found["rerouted"]["moved"] == 1
    assert _history(harness)[0] == ("publish", "workload")
    units = [harness.dossier(number).assignment.units for number in (moving, closed, pinned)]
    assert units == [("UD093",), ("UD075",), ("UD092",)]
    assert ("reassigned-to", "UD093") in harness.told(moving)
    assert ("reassigned-from", "UD075") in harness.told(moving)
    assert [event for event, _ in harness.told(closed)] == ["filed"]


def test_publishing_the_same_twice_changes_nothing(
    harness: Harness, service: dict[str, str], files: Path
) -> None:
    paris_goes_to_bobigny(files)
    wif("rules", "publish", str(files), "--yes", **service)

    again = wif("rules", "publish", str(files), "--yes", **service)

    assert "was in force already" in again.stdout
    assert len(_history(harness)) == 2


def test_publish_asks_first_and_can_be_declined(
    harness: Harness, service: dict[str, str], files: Path
) -> None:
    paris_goes_to_bobigny(files)

    declined = wif("rules", "publish", str(files), **service)  # nobody answers
    unasked = wif("rules", "publish", str(files), "--json", **service)

    assert declined.returncode != 0
    assert unasked.returncode == 2
    assert len(_history(harness)) == 1


def test_history_and_rollback(harness: Harness, service: dict[str, str], files: Path) -> None:
    paris_goes_to_bobigny(files)
    wif("rules", "publish", str(files), "--yes", "--note", "trial", **service)
    newest, first = _rows(service)

    back = wif("rules", "rollback", first["hash"][:12], "--yes", "--note", "undone", **service)

    assert (back.returncode, newest["in_force"], newest["note"]) == (0, True, "trial")
    rows = _rows(service)
    assert [(row["action"], row["in_force"]) for row in rows] == [
        ("rollback", True),
        ("publish", False),
        ("publish", False),
    ]
    assert rows[0]["hash"] == first["hash"]
    assert "a trial" in wif("rules", "history", **service).stdout


def _rows(service: dict[str, str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(wif("rules", "history", "--json", **service).stdout)
    return rows


@pytest.mark.parametrize("wanted", ["abc", "f" * 12, "not-a-hash"])
def test_rollback_refuses_what_names_no_rule_set(wanted: str, tmp_path: Path) -> None:
    done = wif("rules", "rollback", wanted, "--yes", WIF_VAR_DIR=str(tmp_path))

    assert done.returncode == 2
    assert "is no rule set" in done.stderr


def test_reroute_only_knows_open(tmp_path: Path) -> None:
    done = wif("rules", "publish", "--reroute", "all", "--yes", WIF_VAR_DIR=str(tmp_path))

    assert done.returncode == 2
    assert "--reroute" in done.stderr


def test_without_a_terminal_nothing_is_published_and_that_is_said(
    service: dict[str, str], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wif("run-once", **service)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    edit(files, "units.yaml", "Unité départementale de Paris", "Unité de Paris")
    refused = wif("rules", "publish", str(files), **service)
    assert refused.returncode == 1
    assert "nothing was published: nobody answered; --yes does not ask" in refused.stderr
