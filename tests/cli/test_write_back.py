"""`wif doctor` compares the groups of units with those of TPS; `wif channels test` asks TPS."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.ruleset import read_directory
from config.settings import HERE
from service.publish_rules import publish
from simulator import Server
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness, make_harness
from tests.fixtures.processes import Ran, wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

PARIS_MAILBOX = "      - mail: moe.ud075@direccte.example\n"
LABEL = "UD 75"


@dataclass
class Desk:
    """A service of which one unit has a group, and the command."""

    harness: Harness
    settings: dict[str, str]

    def wif(self, *arguments: str, **more: str) -> Ran:
        return wif(*arguments, **{**self.settings, **more})

    def groups(self, **more: str) -> dict[str, str]:
        found = json.loads(self.wif("doctor", "--json", **more).stdout)
        return next(each for each in found if each["check"] == "tps groups")


@pytest.fixture
def desk(database_url: str, tps: Server, tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "config"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    units = (folder / "units.yaml").read_text()
    assert units.count(PARIS_MAILBOX) == 1
    grouped = f"{PARIS_MAILBOX}      - tps_group: {LABEL}\n"
    (folder / "units.yaml").write_text(units.replace(PARIS_MAILBOX, grouped))
    harness = make_harness(database_url, tps, tmp_path, tps_api="v2", tps_write_back=True)
    with harness.runtime.database.begin() as connection:
        publish(harness.runtime, connection, read_directory(folder), note="tests")
    settings = {
        "WIF_TPS_URL": tps.url,
        "WIF_TPS_TOKEN": tps.simulator.token,
        "WIF_TPS_PROCEDURES": f"{PARIS_FORM},{OTHER_FORM}",
        "WIF_TPS_WRITE_BACK": "true",
        "WIF_DATABASE_URL": database_url,
        "WIF_VAR_DIR": str(tmp_path / "var"),
        "WIF_CONFIG_DIR": str(folder),
    }
    yield Desk(harness, settings)
    harness.runtime.close()


def test_groups_of_units_are_compared_with_those_of_tps(desk: Desk) -> None:
    tps = desk.harness.tps
    assert "2 procedures are not followed" in desk.groups()["advice"]
    tps.add_group(PARIS_FORM, "UD 57")
    found = desk.groups()
    assert found["state"] == "wrong"
    assert f"{PARIS_FORM} has no open group « {LABEL} » (UD075)" in found["advice"]
    tps.add_group(PARIS_FORM, "ud  75")
    found = desk.groups()
    assert found["state"] == "ok"
    assert "1 procedure has every group of `units.yaml`; 2 groups that no unit" in found["advice"]
    assert "1 procedure is not followed" in found["advice"]


def test_what_is_off_is_not_compared(desk: Desk) -> None:
    found = desk.groups(WIF_TPS_WRITE_BACK="false")
    assert (found["state"], "WIF_TPS_WRITE_BACK is not true" in found["advice"]) == ("ok", True)


def test_a_trial_asks_tps_with_the_token_that_writes_and_moves_nothing(desk: Desk) -> None:
    arguments = ("channels", "test", "UD075", "--channel", "tps_group")
    ran = desk.wif(*arguments)
    assert ran.returncode == 0, ran
    assert "UD075 tps_group: accepted" in ran.stdout
    refused = desk.wif(*arguments, WIF_TPS_WRITE_TOKEN="another one")
    assert refused.returncode == 1
    assert "tps-" in refused.stdout
    assert "another" not in refused.stdout + refused.stderr
    off = desk.wif(*arguments, WIF_TPS_WRITE_BACK="false")
    assert "UD075 tps_group: write-back-off" in off.stdout
    assert all(seen.operation != "MoveDossier" for seen in desk.harness.tps.requests)
