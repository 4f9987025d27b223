"""`wif doctor`: what works, what does not, and what to do."""

import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from cli.processes import embedded_broker
from config.settings import HERE
from store import heartbeats
from tests.fixtures.harness import Harness
from tests.fixtures.processes import WIF, clean_environment, wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""What differs between the engines is tested below the command."""


def test_doctor_names_settings_that_nobody_reads_and_asks_tps_whatever_the_rules_are(
    harness: Harness, service: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "rules").mkdir()
    given = {**service, "WIF_SMPT_URL": "smtp://x", "WIF_CONFIG_DIR": str(tmp_path / "rules")}
    found = {each["check"]: each for each in json.loads(wif("doctor", "--json", **given).stdout)}
    assert (
        found["settings"]["advice"] == "WIF_SMPT_URL: no such setting; did you mean WIF_SMTP_URL?"
    )
    assert not found["rules"]["well"]
    assert found["tps"]["well"]
    harness.tps.fail_all(401)
    found = {each["check"]: each for each in json.loads(wif("doctor", "--json", **given).stdout)}
    assert "tps-unauthorized" in found["tps"]["advice"]


def test_nothing_is_wrong_with_a_database_that_is_not_made_yet(
    service: dict[str, str], tmp_path: Path
) -> None:
    new = {**service, "WIF_DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}"}
    ran = wif("doctor", "--json", **new)
    assert [each for each in json.loads(ran.stdout) if each["state"] == "wrong"] == []


def test_before_the_first_start_the_database_is_empty_and_nothing_is_wrong_with_the_channels(
    service: dict[str, str], tmp_path: Path
) -> None:
    given = {**service, "WIF_DATABASE_URL": f"sqlite:///{tmp_path}/first.sqlite3"}
    found = {each["check"]: each for each in json.loads(wif("doctor", "--json", **given).stdout)}
    assert "still empty" in found["database"]["advice"]
    assert found["channels"]["well"], found["channels"]


def test_doctor_says_how_reminders_are_set_and_to_whom_they_cannot_go(
    service: dict[str, str],
) -> None:
    def reminders(**given: str) -> dict[str, Any]:
        found = json.loads(wif("doctor", "--json", **service, **given).stdout)
        return next(each for each in found if each["check"] == "reminders")

    assert "WIF_REMIND_AFTER" in reminders()["advice"]
    said = reminders(WIF_REMIND_AFTER="5", WIF_ESCALATE_AFTER="7", WIF_REMIND_AT="08:15")
    assert said["advice"] == "after 5 working days at 08:15; after 7 also NATIONAL"
    wrong = reminders(WIF_REMIND_AFTER="5", WIF_ESCALATE_AFTER="7", WIF_ESCALATE_TO="UD999")
    assert (wrong["state"], "UD999" in wrong["advice"]) == ("wrong", True)


def test_doctor_names_the_units_that_no_reminder_reaches(
    service: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    units = (folder / "units.yaml").read_text(encoding="utf-8")
    mailbox = "- mail: moe.ud093@direccte.example"
    assert mailbox in units
    given = {**service, "WIF_CONFIG_DIR": str(folder), "WIF_REMIND_AFTER": "1"}

    def reminders(**more: str) -> dict[str, Any]:
        found = json.loads(wif("doctor", "--json", **given, **more).stdout)
        return next(each for each in found if each["check"] == "reminders")

    assert reminders()["state"] == "ok"
    changed = units.replace(mailbox, "- webhook: https://hooks.example/wif")
    (folder / "units.yaml").write_text(changed, encoding="utf-8")
    assert (reminders()["state"], reminders()["advice"]) == (
        "warn",
        "after 1 working day at 09:00; 1 unit has no mailbox and gets none: UD093",
    )
    said = " ".join(wif("doctor", **given, WIF_LANG="fr", COLUMNS="300").stdout.split())
    assert "après 1 jour ouvré à 09:00 ; 1 unité n'a pas de boîte" in said
    del given["WIF_REMIND_AFTER"]
    assert reminders()["state"] == "ok"


def test_doctor_asks_the_embedded_broker_on_its_socket_and_warns_while_nothing_is_anchored(
    service: dict[str, str], tmp_path: Path
) -> None:
    with embedded_broker(tmp_path / "broker") as url:
        ran = wif("doctor", "--json", WIF_BROKER_URL=url, **service)
    found = {each["check"]: each for each in json.loads(ran.stdout)}
    assert found["broker"] == {"check": "broker", "state": "ok", "advice": "answers", "well": True}
    assert (found["seal key"]["state"], found["seal key"]["well"]) == ("warn", True)
    assert "NOT ANCHORED" in found["seal key"]["advice"]
    assert ran.returncode == 0
    assert "WARN" in wif("doctor", **service).stdout


def test_doctor_names_the_queue_that_nobody_takes(
    harness: Harness, service: dict[str, str]
) -> None:
    def queues(*alive: str) -> dict[str, str]:
        harness.wait(minutes=5)
        with harness.runtime.database.begin() as connection:
            for minutes in (4, 2, 0):
                at = harness.now - timedelta(minutes=minutes)
                heartbeats.note(connection, alive, at)
        with time_machine.travel(harness.now, tick=False):
            found = json.loads(wif("doctor", "--json", **service).stdout)
        return next(each for each in found if each["check"] == "queues")

    assert queues()["state"] == "warn"
    well = queues("beat", "poll", "route", "deliver", "upkeep")
    assert (well["state"], well["advice"]) == (
        "ok",
        "a worker takes each of poll, route, deliver, upkeep",
    )
    unserved = queues("beat", "poll", "deliver", "upkeep")
    assert unserved["state"] == "wrong"
    assert "start `wif worker --queues route`" in unserved["advice"]
    assert queues()["state"] == "warn"
    assert "`wif worker` and `wif beat`" in queues()["advice"]


def test_no_worker_is_missed_where_run_once_does_all(
    harness: Harness, service: dict[str, str]
) -> None:
    def queues(**given: str) -> tuple[str, str]:
        found = json.loads(wif("doctor", "--json", **service, **given).stdout)
        queues = next(each for each in found if each["check"] == "queues")
        return queues["state"], queues["advice"]

    assert queues()[0] == "warn"
    harness.run()
    state, advice = queues()
    assert (state, "`wif run-once` does all; it last polled at" in advice) == ("ok", True)
    assert queues(WIF_BROKER_URL="redis://127.0.0.1:1/0")[0] == "warn"
    with harness.runtime.database.begin() as connection:
        heartbeats.note(connection, ["beat"], harness.now)
    assert queues()[0] == "warn"


def test_doctor_looks_at_the_broker_in_a_process_of_its_own(
    service: dict[str, str], redis_url: str
) -> None:
    """Where nothing else has loaded the broker's client before."""
    ran = subprocess.run(
        [*WIF, "doctor", "--json"],
        env=clean_environment({**service, "WIF_BROKER_URL": redis_url}),
        capture_output=True,
        text=True,
        check=False,
    )
    found = {each["check"]: each for each in json.loads(ran.stdout)}
    assert found["broker"]["advice"] == "answers", found["broker"]


def test_the_warning_ends_once_the_first_key_is_pinned_and_seals_go_outside(
    service: dict[str, str],
) -> None:
    def seal_key(**given: str) -> dict[str, Any]:
        found = json.loads(wif("doctor", "--json", **service, **given).stdout)
        return next(each for each in found if each["check"] == "seal key")

    wif("audit", "seal", **service)
    first = wif("audit", "seals", "public-key", "--hex", **service).stdout.split()[0]
    mailbox = {"WIF_OPS_MAILBOX": "exploitation@wif.example"}

    assert seal_key()["state"] == "warn"
    assert "WIF_SEAL_PUBLIC_KEYS" in seal_key(**mailbox)["advice"]
    assert "WIF_OPS_MAILBOX" in seal_key(WIF_SEAL_PUBLIC_KEYS=first)["advice"]
    anchored = seal_key(WIF_SEAL_PUBLIC_KEYS=first, **mailbox)
    assert (anchored["state"], "anchored at" in anchored["advice"]) == ("ok", True)
    foreign = seal_key(WIF_SEAL_PUBLIC_KEYS="0" * len(first), **mailbox)
    assert foreign["state"] == "wrong"
