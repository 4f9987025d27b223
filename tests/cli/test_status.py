"""`wif status`: what is stopped, open and old, and the exit code for a probe."""

import json
import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from routing.forms import Form
from service import watch_health
from service.poll import poll
from store import heartbeats
from store.models import Heartbeat
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness
from tests.fixtures.processes import Ran, wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""What differs between the engines is tested below the command."""


def test_listings_carry_the_names_that_scripts_rely_on(
    harness: Harness, service: dict[str, str], paris: Form
) -> None:
    harness.tps.add(paris, department="2A", permit_type="apprentissage")
    wif("run-once", **service)
    (dossier,) = json.loads(wif("dossiers", "list", "--json", **service).stdout)
    (delivery,) = json.loads(wif("deliveries", "list", "--json", **service).stdout)
    assert dossier["department"] == delivery["department"] == "2A"
    assert dossier["permit_type"] == delivery["permit_type"] == "apprentissage"
    assert set(dossier) >= {"procedure", "number", "status", "unit", "rule", "reason"}
    assert set(delivery) >= {"event", "unit", "channel", "state", "attempts"}
    assert dossier["reason"].endswith("department-not-served")


def test_a_stopped_procedure_shows_in_the_status(harness: Harness, service: dict[str, str]) -> None:
    harness.tps.fail_procedure(PARIS_FORM, 401)
    wif("run-once", **service)
    status = json.loads(wif("status", "--json", **service).stdout)
    (needy,) = status["procedures_to_look_at"]
    assert (needy["procedure"], needy["status"]) == (PARIS_FORM, "stopped")
    assert needy["reason"] == "tps-unauthorized"
    assert "`wif procedures resume --all`" in wif("status", **service).stdout


def test_the_status_is_a_probe(harness: Harness, service: dict[str, str]) -> None:
    def probe() -> Ran:
        with time_machine.travel(now, tick=False):
            return wif("status", **service)

    now = harness.now

    harness.run()
    assert probe().returncode == 0
    assert "neither beat nor a worker was ever seen" in probe().stdout
    with harness.runtime.database.begin() as connection:
        heartbeats.note(connection, ["beat", "poll", "upkeep"], now - timedelta(minutes=2))
        heartbeats.note(connection, ["beat", "upkeep"], now)
    assert probe().returncode == 0
    assert "alive since" in probe().stdout
    with harness.runtime.database.begin() as connection:
        gone = update(Heartbeat).values(seen_at=now - timedelta(minutes=10))
        connection.execute(gone.where(Heartbeat.part == "poll"))
    assert probe().returncode == 3
    assert probe().stdout.count("NOT SEEN since") == 1
    with harness.runtime.database.begin() as connection:
        connection.execute(gone)
    assert probe().returncode == 3
    # Beat may live: whoever would note it is away.
    assert probe().stdout.count("NOT SEEN since") == 1
    assert probe().stdout.count("not known since") == 2
    assert wif("status", **{**service, "WIF_DATABASE_URL": "sqlite:////proc/none"}).returncode == 1


def test_figures_that_tps_told_long_ago_are_marked_as_old(
    harness: Harness, service: dict[str, str]
) -> None:
    def seen(*options: str, minutes: int) -> str:
        with time_machine.travel(polled + timedelta(minutes=minutes), tick=False):
            return wif("status", *options, **service).stdout

    polled = harness.now
    harness.file()
    harness.run()
    assert "OLD" not in seen(minutes=3)
    assert json.loads(seen("--json", minutes=3))["dossiers_old"] is False
    assert "1 (OLD: as of 0:04:00 ago)" in seen(minutes=4)
    assert json.loads(seen("--json", minutes=4))["dossiers_old"] is True


def test_an_incident_shows_the_counts_of_this_moment(
    harness: Harness, service: dict[str, str]
) -> None:
    harness.run()
    harness.file()
    poll(harness.runtime, PARIS_FORM)
    harness.wait(hours=1)
    watch_health.check(harness.runtime)
    ran = wif("status", "--json", **service)
    assert ran.returncode == 3
    kinds = {each["kind"]: each["count"] for each in json.loads(ran.stdout)["incidents"]}
    assert kinds["unread-dossiers"] == 1
    harness.run()
    after = json.loads(wif("status", "--json", **service).stdout)
    kinds = {each["kind"]: each["count"] for each in after["incidents"]}
    assert (after["pending"], kinds["unread-dossiers"]) == (0, 0)


def test_many_procedures_that_fail_of_one_cause_are_one_line(
    harness: Harness, service: dict[str, str]
) -> None:
    harness.tps.fail_all(401)
    ran = wif("run-once", **service)
    assert ran.stdout.count("tps-unauthorized") == 2  # in its line, and explained
    assert f"{OTHER_FORM}, {PARIS_FORM}" in ran.stdout
    assert wif("status", **service).stdout.count("tps-unauthorized") == 2


def test_it_shows_how_much_of_the_limit_of_tps_is_used(
    harness: Harness, service: dict[str, str], paris: Form, redis_url: str
) -> None:
    harness.tps.add(paris)
    shared = {**service, "WIF_BROKER_URL": redis_url}
    with time_machine.travel(harness.now, tick=False):
        wif("run-once", **shared)
        shown = wif("status", **shared).stdout
    used = re.search(r"TPS v2: ([0-9]+)% of 400 requests a minute are used", shown)
    assert used is not None, shown
    assert int(used[1]) > 0
