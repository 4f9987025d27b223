"""Who did it: publishing, rollback, pins, replays and resumes record an actor."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from config.settings import HERE
from service.actor import SERVICE, account
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.processes import wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def _people(service: dict[str, str]) -> list[dict[str, Any]]:
    """Who acted, but for the service itself, which published the first rules."""
    rows = json.loads(wif("audit", "actors", "--json", **service).stdout)
    return [row for row in rows if row["actor"] != SERVICE]


def test_an_account_is_recorded_as_a_hash_and_resolved_here(
    harness: Harness, service: dict[str, str]
) -> None:
    number = harness.file()
    harness.run()
    key = f"{PARIS_FORM}/{number}"
    asked = ("dossiers", "reassign", key, "--to", "UD092", "--reason", "moved")
    assert wif(*asked, **service).returncode == 0
    (actor,) = _people(service)
    assert (actor["account"], actor["lines"]) == (account(), 1)
    assert account() not in actor["actor"]
    life = json.loads(wif("audit", "trace", key, "--json", **service).stdout)
    assert {line["step"]: line["actor"] for line in life}["pinned"] == actor["actor"]


def test_a_role_of_the_list_is_recorded_and_another_refused(
    harness: Harness, service: dict[str, str]
) -> None:
    harness.run()
    roles = {**service, "WIF_ACTORS": "regional-admin", "WIF_ACTOR": "regional-admin"}
    assert wif("procedures", "resume", str(PARIS_FORM), **roles).returncode == 0
    harness.tps.fail_all(401)
    harness.wait(minutes=5)
    harness.run()
    assert wif("procedures", "resume", str(PARIS_FORM), **roles).returncode == 0
    (actor,) = _people(roles)
    assert (actor["actor"], actor["account"]) == ("regional-admin", None)
    wrong = wif("status", **{**roles, "WIF_ACTOR": "mme-martin"})
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("WIF_ACTOR: is none of WIF_ACTORS")


def test_who_publishes_and_who_goes_back_stands_in_history_and_audit(
    harness: Harness, service: dict[str, str], tmp_path: Path
) -> None:
    shutil.copytree(HERE, tmp_path / "config", ignore=shutil.ignore_patterns("*.py"))
    units = tmp_path / "config" / "units.yaml"
    roles = {
        **service,
        "WIF_CONFIG_DIR": str(tmp_path / "config"),
        "WIF_ACTORS": "regional-admin",
        "WIF_ACTOR": "regional-admin",
    }
    assert wif("rules", "publish", "--yes", **roles).returncode == 0
    text = units.read_text(encoding="utf-8")
    units.write_text(text.replace("name: ", "name: Nouvelle ", 1), encoding="utf-8")
    assert wif("rules", "publish", "--yes", **roles).returncode == 0
    assert wif("rules", "rollback", "--previous", "--yes", **roles).returncode == 0

    history = json.loads(wif("rules", "history", "--json", **roles).stdout)
    assert {each["actor"] for each in history} >= {"regional-admin"}
    last = max(history, key=lambda each: each["at"])
    assert (last["action"], last["actor"]) == ("rollback", "regional-admin")
    (actor,) = _people(roles)
    assert actor["actor"] == "regional-admin"
    assert actor["lines"] >= 2


@pytest.mark.parametrize("reason", ["mme-x-a-demenage", "Mme Martin", ""])
def test_a_reason_of_ones_own_is_refused(
    harness: Harness, service: dict[str, str], reason: str
) -> None:
    number = harness.file()
    harness.run()
    key = f"{PARIS_FORM}/{number}"
    ran = wif("dossiers", "reassign", key, "--to", "UD092", "--reason", reason, **service)
    assert ran.returncode in {1, 2}
    assert harness.dossier(number).assignment.units == ("UD075",)
