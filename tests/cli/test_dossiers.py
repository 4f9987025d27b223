"""`wif dossiers`: listed, shown, traced and reassigned by hand."""

import json
import re
from datetime import datetime

import pytest
import time_machine

from cli.lists import SHOWN
from routing.forms import Form
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.processes import wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""What differs between the engines is tested below the command."""


def test_times_in_tables_carry_their_zone(harness: Harness, service: dict[str, str]) -> None:
    harness.file()
    harness.run()
    listed = wif("procedures", "list", **service).stdout
    assert re.search(r"\d\d:\d\d:\d\d CES?T", listed)


def test_a_dossier_is_reassigned_by_hand_and_stays_until_it_is_unpinned(
    harness: Harness, service: dict[str, str], paris: Form
) -> None:
    number = harness.tps.add(paris, department="75").number
    wif("run-once", **service)
    key = f"{PARIS_FORM}/{number}"
    moved = wif("dossiers", "reassign", key, "--to", "UD093", "--reason", "moved", **service)
    assert moved.stdout.strip() == f"{key}: goes to UD093"
    harness.wait(minutes=1)
    harness.tps.change(number, department="92")
    wif("run-once", **service)
    assert harness.dossier(number).assignment.units == ("UD093",)
    back = wif("dossiers", "reassign", key, "--unpin", **service)
    assert back.stdout.strip() == f"{key}: goes to UD092"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--to", "UD999", "--reason", "moved"), "UD999: no unit"),
        (("--to", "UD093", "--reason", "Mme Martin l'a dit"), "must be one of moved"),
        ((), "give --to UNIT and --reason CODE"),
        (("--to", "UD93", "--reason", "moved"), "did you mean `UD093`?"),
        (("--unpin", "--to", "UD093"), "leave out --to and --reason"),
        (("--unpin", "--reason", "moved"), "leave out --to and --reason"),
    ],
)
def test_a_reassignment_that_will_not_do_is_refused_in_one_line(
    harness: Harness, service: dict[str, str], paris: Form, arguments: tuple[str, ...], says: str
) -> None:
    number = harness.tps.add(paris).number
    wif("run-once", **service)
    refused = wif("dossiers", "reassign", f"{PARIS_FORM}/{number}", *arguments, **service)
    assert refused.returncode != 0
    assert says in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "Martin" not in refused.stderr


def test_dossiers_are_listed_by_unit_department_type_state_and_day(
    harness: Harness, service: dict[str, str]
) -> None:
    first = harness.file(department="75", permit_type="doctorat")
    harness.wait(days=3)
    second = harness.file(department="93", permit_type="apprentissage", state="received")
    harness.run()

    def listed(*options: str) -> list[int]:
        ran = wif("dossiers", "list", "--json", *options, **service)
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
    assert wif("dossiers", "list", "--since", "hier", **service).returncode == 2
    short = wif("dossiers", "list", "--limit", "1", **service)
    assert "there are more than 1" in short.stderr
    assert len(json.loads(wif("dossiers", "list", "--limit", "1", "--json", **service).stdout)) == 1
    lines = wif("dossiers", "list", "--csv", **service).stdout.splitlines()
    assert lines[0].startswith("procedure,number,status,state,permit_type,department,unit,rule")
    assert len(lines) == 3


def test_a_list_says_how_old_each_dossier_is_in_every_form(
    harness: Harness, service: dict[str, str]
) -> None:
    harness.file(department="75", permit_type="doctorat")
    harness.wait(days=3)
    harness.file(department="93", permit_type="doctorat")
    harness.run()
    with time_machine.travel(harness.now, tick=False):
        lines = wif("dossiers", "list", "--csv", **service).stdout.splitlines()
        table = wif("dossiers", "list", **service, COLUMNS="200").stdout
        objects = json.loads(wif("dossiers", "list", "--json", **service).stdout)
    header = (
        "procedure,number,status,state,permit_type,department,unit,rule,reason,age_days,filed_at"
    )
    assert lines[0] == header
    assert [line.split(",")[-2] for line in lines[1:]] == ["3", "0"]
    assert [each["age_days"] for each in objects] == [3, 0]
    assert "age_days" in table


def test_json_and_csv_are_whole_and_a_table_says_that_it_is_not(
    harness: Harness, service: dict[str, str], paris: Form
) -> None:
    harness.tps.populate([paris], SHOWN + 5, oddities=False)
    harness.run()
    for name in ("dossiers", "deliveries"):
        found = wif(name, "list", "--json", **service)
        assert (len(json.loads(found.stdout)), found.stderr) == (SHOWN + 5, "")
        assert len(wif(name, "list", "--csv", **service).stdout.splitlines()) == SHOWN + 6
        table = wif(name, "list", **service)
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
    harness: Harness, service: dict[str, str], name: str, options: tuple[str, ...], says: str
) -> None:
    harness.run()
    ran = wif(name, "list", "--json", *options, **service)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert says in ran.stderr


def test_show_says_why_a_dossier_is_pinned_and_trace_which_line_to_prove(
    harness: Harness, service: dict[str, str]
) -> None:
    number = harness.file()
    harness.run()
    key = f"{PARIS_FORM}/{number}"
    wif("dossiers", "reassign", key, "--to", "UD092", "--reason", "moved", **service)
    shown = json.loads(wif("dossiers", "show", key, "--json", **service).stdout)
    assert (shown["pinned"], shown["pinned_reason"]) == ("UD092", "moved")
    assert shown["pinned_reason_label"].startswith("déménagement")
    assert "déménagement" in wif("dossiers", "show", key, **service).stdout
    life = json.loads(wif("audit", "trace", key, "--json", **service).stdout)
    assert all(isinstance(line["id"], int) for line in life)
    assert all(datetime.fromisoformat(line["at"]).tzinfo for line in life)


@pytest.mark.parametrize("command", ["reassign", "explain"])
def test_a_quarantined_dossier_is_known_and_why_it_was_not_read_is_said(
    harness: Harness, service: dict[str, str], paris: Form, command: str
) -> None:
    number = harness.tps.add(paris).number
    harness.tps.fail_detail(number, 500)
    harness.run()
    key = f"{PARIS_FORM}/{number}"
    asked = {
        "reassign": ("dossiers", "reassign", key, "--unpin"),
        "explain": ("rules", "explain", key),
    }[command]
    refused = wif(*asked, **service)
    assert refused.returncode == 1
    assert f"{key}: quarantined, so it could not be read (" in refused.stderr


def test_a_filter_that_is_like_no_code_has_no_proposal(
    harness: Harness, service: dict[str, str]
) -> None:
    harness.run()
    refused = wif("dossiers", "list", "--procedure", "1", **service)
    assert refused.stderr == "--procedure 1: there is no such code\n"
    refused = wif("dossiers", "list", "--department", "93 - Paris", **service)
    assert refused.returncode == 2
    refused = wif("dossiers", "list", "--unit", **service)
    assert refused.stderr.endswith("see `wif dossiers list --help`\n")
