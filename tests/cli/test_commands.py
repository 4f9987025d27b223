"""The `wif` command as a user meets it: as a process, with its output and its exit code."""

import json
import re
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import update

from cli.lists import SHOWN
from cli.processes import embedded_broker
from routing.forms import Form
from service import watch_health
from service.poll import poll
from simulator import Server
from store import heartbeats
from store.models import Heartbeat
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness
from tests.fixtures.processes import ROOT, WIF, Ran, clean_environment, wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""What differs between the engines is tested below the command."""


@pytest.fixture
def settings(harness: Harness, tps: Server, tmp_path: Path) -> dict[str, str]:
    """Settings of a service on the harness's database."""
    return {
        "WIF_TPS_URL": tps.url,
        "WIF_TPS_TOKEN": tps.simulator.token,
        "WIF_DATABASE_URL": harness.runtime.settings.database,
        "WIF_VAR_DIR": str(tmp_path / "var"),
        "WIF_OUTBOX_DIR": str(harness.outbox),
        "WIF_TPS_PROCEDURES": harness.runtime.settings.tps_procedures,
    }


@pytest.fixture
def paris(harness: Harness) -> Form:
    return harness.form(PARIS_FORM)


def test_run_once_routes_what_is_listed_and_a_second_run_sends_nothing(
    harness: Harness, settings: dict[str, str], paris: Form
) -> None:
    harness.tps.populate([paris], 20, oddities=False)
    first, second = wif("run-once", "--json", **settings), wif("run-once", "--json", **settings)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert json.loads(first.stdout)["sent"] == 20
    assert json.loads(second.stdout)["sent"] == 0


def test_what_run_once_writes_is_readable_by_its_user_alone(
    harness: Harness, settings: dict[str, str], paris: Form, tmp_path: Path
) -> None:
    harness.tps.add(paris)
    own = {"WIF_VAR_DIR": str(tmp_path / "own"), "WIF_OUTBOX_DIR": str(tmp_path / "own" / "outbox")}
    kept = {name: value for name, value in settings.items() if name != "WIF_DATABASE_URL"}
    ran = subprocess.run(
        [*WIF, "run-once"], env=clean_environment({**kept, **own}), cwd=ROOT, umask=0, check=False
    )
    assert ran.returncode == 0
    written = [tmp_path / "own", *(tmp_path / "own").rglob("*")]
    assert {path.suffix for path in written} >= {".sqlite3", ".eml", ".key"}
    assert [path for path in written if path.stat().st_mode & 0o077] == []


def test_run_once_does_not_exit_0_when_something_failed(
    harness: Harness, settings: dict[str, str], paris: Form
) -> None:
    bad = harness.tps.add(paris).number
    harness.tps.fail_detail(bad, 500)
    assert wif("run-once", **settings).returncode == 1


def test_listings_carry_the_names_that_scripts_rely_on(
    harness: Harness, settings: dict[str, str], paris: Form
) -> None:
    harness.tps.add(paris, department="2A", permit_type="apprentissage")
    wif("run-once", **settings)
    (dossier,) = json.loads(wif("dossiers", "list", "--json", **settings).stdout)
    (delivery,) = json.loads(wif("deliveries", "list", "--json", **settings).stdout)
    assert dossier["department"] == delivery["department"] == "2A"
    assert dossier["permit_type"] == delivery["permit_type"] == "apprentissage"
    assert set(dossier) >= {"procedure", "number", "status", "unit", "rule", "reason"}
    assert set(delivery) >= {"event", "unit", "channel", "state", "attempts"}
    assert dossier["reason"].endswith("department-not-served")


def test_a_stopped_procedure_shows_in_the_status(
    harness: Harness, settings: dict[str, str]
) -> None:
    harness.tps.fail_procedure(PARIS_FORM, 401)
    wif("run-once", **settings)
    status = json.loads(wif("status", "--json", **settings).stdout)
    (needy,) = status["procedures_to_look_at"]
    assert (needy["procedure"], needy["status"]) == (PARIS_FORM, "stopped")
    assert needy["reason"] == "tps-unauthorized"


def test_the_status_is_a_probe(harness: Harness, settings: dict[str, str]) -> None:
    def probe() -> Ran:
        with time_machine.travel(now, tick=False):
            return wif("status", **settings)

    now = harness.now

    harness.run()
    assert probe().returncode == 0
    assert "neither beat nor a worker was ever seen" in probe().stdout
    with harness.runtime.database.begin() as connection:
        heartbeats.note(connection, ["beat", "poll"], now - timedelta(minutes=2))
        heartbeats.note(connection, ["beat"], now)
    assert probe().returncode == 0
    assert "alive since" in probe().stdout
    with harness.runtime.database.begin() as connection:
        connection.execute(update(Heartbeat).values(seen_at=now - timedelta(minutes=10)))
    assert probe().returncode == 3
    assert "NOT SEEN since" in probe().stdout
    assert wif("status", **{**settings, "WIF_DATABASE_URL": "sqlite:////proc/none"}).returncode == 1


def test_an_incident_shows_the_counts_of_this_moment(
    harness: Harness, settings: dict[str, str]
) -> None:
    harness.run()
    harness.file()
    poll(harness.runtime, PARIS_FORM)
    harness.wait(hours=1)
    watch_health.check(harness.runtime)
    ran = wif("status", "--json", **settings)
    assert ran.returncode == 3
    kinds = {each["kind"]: each["count"] for each in json.loads(ran.stdout)["incidents"]}
    assert kinds["unread-dossiers"] == 1
    harness.run()
    after = json.loads(wif("status", "--json", **settings).stdout)
    kinds = {each["kind"]: each["count"] for each in after["incidents"]}
    assert (after["pending"], kinds["unread-dossiers"]) == (0, 0)


def test_many_procedures_that_fail_of_one_cause_are_one_line(
    harness: Harness, settings: dict[str, str]
) -> None:
    harness.tps.fail_all(401)
    ran = wif("run-once", **settings)
    assert ran.stdout.count("tps-unauthorized") == 1
    assert f"{OTHER_FORM}, {PARIS_FORM}" in ran.stdout
    assert wif("status", **settings).stdout.count("tps-unauthorized") == 1


def test_doctor_names_settings_that_nobody_reads_and_asks_tps_whatever_the_rules_are(
    harness: Harness, settings: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "rules").mkdir()
    given = {**settings, "WIF_SMPT_URL": "smtp://x", "WIF_CONFIG_DIR": str(tmp_path / "rules")}
    found = {each["check"]: each for each in json.loads(wif("doctor", "--json", **given).stdout)}
    assert (
        found["settings"]["advice"] == "WIF_SMPT_URL: no such setting; did you mean WIF_SMTP_URL?"
    )
    assert not found["rules"]["well"]
    assert found["tps"]["well"]
    harness.tps.fail_all(401)
    found = {each["check"]: each for each in json.loads(wif("doctor", "--json", **given).stdout)}
    assert "tps-unauthorized" in found["tps"]["advice"]


def test_doctor_says_how_reminders_are_set_and_to_whom_they_cannot_go(
    settings: dict[str, str],
) -> None:
    def reminders(**given: str) -> dict[str, Any]:
        found = json.loads(wif("doctor", "--json", **settings, **given).stdout)
        return next(each for each in found if each["check"] == "reminders")

    assert "WIF_REMIND_AFTER" in reminders()["advice"]
    said = reminders(WIF_REMIND_AFTER="5", WIF_ESCALATE_AFTER="7", WIF_REMIND_AT="08:15")
    assert said["advice"] == "after 5 working days at 08:15; after 7 also NATIONAL"
    wrong = reminders(WIF_REMIND_AFTER="5", WIF_ESCALATE_AFTER="7", WIF_ESCALATE_TO="UD999")
    assert (wrong["state"], "UD999" in wrong["advice"]) == ("wrong", True)


def test_doctor_asks_the_embedded_broker_on_its_socket_and_warns_while_nothing_is_anchored(
    settings: dict[str, str], tmp_path: Path
) -> None:
    with embedded_broker(tmp_path / "broker") as url:
        ran = wif("doctor", "--json", WIF_BROKER_URL=url, **settings)
    found = {each["check"]: each for each in json.loads(ran.stdout)}
    assert found["broker"] == {"check": "broker", "state": "ok", "advice": "answers", "well": True}
    assert (found["seal key"]["state"], found["seal key"]["well"]) == ("warn", True)
    assert "NOT ANCHORED" in found["seal key"]["advice"]
    assert ran.returncode == 0
    assert "WARN" in wif("doctor", **settings).stdout


def test_times_in_tables_carry_their_zone(harness: Harness, settings: dict[str, str]) -> None:
    harness.file()
    harness.run()
    listed = wif("procedures", "list", **settings).stdout
    assert re.search(r"\d\d:\d\d:\d\d CES?T", listed)


def test_a_dossier_is_reassigned_by_hand_and_stays_until_it_is_unpinned(
    harness: Harness, settings: dict[str, str], paris: Form
) -> None:
    number = harness.tps.add(paris, department="75").number
    wif("run-once", **settings)
    key = f"{PARIS_FORM}/{number}"
    moved = wif("dossiers", "reassign", key, "--to", "UD093", "--reason", "moved", **settings)
    assert moved.stdout.strip() == f"{key}: UD093"
    harness.wait(minutes=1)
    harness.tps.change(number, department="92")
    wif("run-once", **settings)
    assert harness.dossier(number).assignment.units == ("UD093",)
    back = wif("dossiers", "reassign", key, "--unpin", **settings)
    assert back.stdout.strip() == f"{key}: UD092"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--to", "UD999", "--reason", "moved"), "UD999: no unit"),
        (("--to", "UD093", "--reason", "Mme Martin l'a dit"), "must be one of moved"),
        ((), "give --to UNIT and --reason CODE"),
    ],
)
def test_a_reassignment_that_will_not_do_is_refused_in_one_line(
    harness: Harness, settings: dict[str, str], paris: Form, arguments: tuple[str, ...], says: str
) -> None:
    number = harness.tps.add(paris).number
    wif("run-once", **settings)
    refused = wif("dossiers", "reassign", f"{PARIS_FORM}/{number}", *arguments, **settings)
    assert refused.returncode != 0
    assert says in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "Martin" not in refused.stderr


def test_dossiers_are_listed_by_unit_department_type_state_and_day(
    harness: Harness, settings: dict[str, str]
) -> None:
    first = harness.file(department="75", permit_type="doctorat")
    harness.wait(days=3)
    second = harness.file(department="93", permit_type="apprentissage", state="received")
    harness.run()

    def listed(*options: str) -> list[int]:
        ran = wif("dossiers", "list", "--json", *options, **settings)
        assert ran.returncode == 0, ran
        return [each["number"] for each in json.loads(ran.stdout)]

    assert listed() == [first, second]
    assert listed("--unit", "UD075") == [first]
    assert listed("--unit", "UD094") == []
    assert listed("--department", "75 - Paris") == [first]
    assert listed("--department", "93") == [second]
    assert listed("--permit-type", "doctorat") == [first]
    assert listed("--state", "received") == [second]
    assert listed("--since", harness.now.date().isoformat()) == [second]
    assert wif("dossiers", "list", "--since", "hier", **settings).returncode == 2
    short = wif("dossiers", "list", "--limit", "1", **settings)
    assert "there are more than 1" in short.stderr
    assert (
        len(json.loads(wif("dossiers", "list", "--limit", "1", "--json", **settings).stdout)) == 1
    )
    lines = wif("dossiers", "list", "--csv", **settings).stdout.splitlines()
    assert lines[0].startswith("procedure,number,status,state,permit_type,department,unit,rule")
    assert len(lines) == 3


def test_json_and_csv_are_whole_and_a_table_says_that_it_is_not(
    harness: Harness, settings: dict[str, str], paris: Form
) -> None:
    harness.tps.populate([paris], SHOWN + 5, oddities=False)
    harness.run()
    for name in ("dossiers", "deliveries"):
        found = wif(name, "list", "--json", **settings)
        assert (len(json.loads(found.stdout)), found.stderr) == (SHOWN + 5, "")
        assert len(wif(name, "list", "--csv", **settings).stdout.splitlines()) == SHOWN + 6
        table = wif(name, "list", **settings)
        assert f"{SHOWN} {name}" in table.stdout
        assert f"there are more than {SHOWN}" in table.stderr


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("dossiers", ("--unit", "UD07"), "--unit UD07: there is no such code; did you mean `UD"),
        ("dossiers", ("--department", "ud75"), "--department ud75: no such département"),
        ("dossiers", ("--department", "75 - Pariss"), "did you mean `75 - Paris`?"),
        ("dossiers", ("--permit-type", "doctorats"), "did you mean `doctorat`?"),
        ("dossiers", ("--permit-type", "Étudiant en doctorat"), "--permit-type"),
        ("dossiers", ("--procedure", "999"), "--procedure 999: there is no such code"),
        ("deliveries", ("--unit", "UD999"), "--unit UD999: there is no such code"),
        ("deliveries", ("--reason", "mail-rejectd"), "did you mean `mail-rejected`?"),
        ("deliveries", ("--since", "hier"), "--since: is no day"),
    ],
)
def test_a_filter_that_names_nothing_is_refused_with_what_was_meant(
    harness: Harness, settings: dict[str, str], name: str, options: tuple[str, ...], says: str
) -> None:
    harness.run()
    ran = wif(name, "list", "--json", *options, **settings)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert says in ran.stderr


def test_a_replay_of_a_unit_that_is_none_is_refused(
    harness: Harness, settings: dict[str, str]
) -> None:
    harness.run()
    assert wif("deliveries", "replay", "--unit", "UD999", **settings).returncode == 2
    assert wif("deliveries", "replay", "--unit", "UD075", **settings).returncode == 0


def test_show_says_why_a_dossier_is_pinned_and_trace_which_line_to_prove(
    harness: Harness, settings: dict[str, str]
) -> None:
    number = harness.file()
    harness.run()
    key = f"{PARIS_FORM}/{number}"
    wif("dossiers", "reassign", key, "--to", "UD092", "--reason", "moved", **settings)
    shown = json.loads(wif("dossiers", "show", key, "--json", **settings).stdout)
    assert (shown["pinned"], shown["pinned_reason"]) == ("UD092", "moved")
    assert shown["pinned_reason_label"].startswith("déménagement")
    assert "déménagement" in wif("dossiers", "show", key, **settings).stdout
    life = json.loads(wif("audit", "trace", key, "--json", **settings).stdout)
    assert all(isinstance(line["id"], int) for line in life)
    assert all(datetime.fromisoformat(line["at"]).tzinfo for line in life)
