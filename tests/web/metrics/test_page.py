"""`/metrics`, as Prometheus reads it."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, update

from routing.failures import Cause
from routing.incidents import IncidentKind, PresentIncident
from service import queues
from service.guards.breakers import TPS
from service.seal import seal
from store import heartbeats, incidents, tallies
from store.hints import FORM, ReceivedHint, note
from store.models import Dossier
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, START, Harness
from tests.fixtures.redis import RedisServer, redis_server
from tests.fixtures.web import Serve
from web.metrics.families import ALL
from web.metrics.page import page

Found = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Found:
    """Every sample by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(harness: Harness) -> Found:
    return read(page(harness.runtime).decode())


def value(found: Found, name: str, **labels: object) -> float | None:
    return found.get((name, frozenset((key, str(text)) for key, text in labels.items())))


@pytest.fixture
def broker() -> Iterator[RedisServer]:
    """A broker of this test's own: what is shared there would be shared with others."""
    with redis_server() as server:
        yield server


def put(harness: Harness, **values: object) -> None:
    """Store a dossier as it is given."""
    row = {
        "procedure": PARIS_FORM,
        "number": 1,
        "status": "routed",
        "permit_type": "apprentissage",
        "department": "75",
        "seen_at": START,
        "last_listed_at": START,
        **values,
    }
    with harness.runtime.database.begin() as connection:
        connection.execute(insert(Dossier), [row])


def test_dossiers_and_deliveries_are_counted(harness: Harness) -> None:
    numbers = {harness.file() for _ in range(2)}
    harness.wait(seconds=10)
    harness.run()
    found = scrape(harness)
    expected: Counter[frozenset[tuple[str, str]]] = Counter()
    for number in numbers:
        facts = harness.dossier(number).facts
        assert facts is not None
        labels = {
            "procedure": str(PARIS_FORM),
            "permit_type": facts.permit_type or "none",
            "department": facts.department or "none",
            "outcome": "routed",
        }
        expected[frozenset(labels.items())] += 1
    assert {kind: count for (name, kind), count in found.items() if name == "wif_dossiers"} == (
        expected
    )
    assert value(found, "wif_deliveries", channel="mail", outcome="sent") == 2
    assert value(found, "wif_delivery_events_total", channel="mail", outcome="sent") == 2


def test_latencies_are_histograms(harness: Harness) -> None:
    harness.run()
    harness.file()
    harness.wait(seconds=20)
    harness.run()
    found = scrape(harness)
    for name, labels in (("wif_filed_to_seen", {}), ("wif_filed_to_sent", {"channel": "mail"})):
        bucket = f"{name}_seconds_bucket"
        counts = {
            dict(kind)["le"]: count for (each, kind), count in found.items() if each == bucket
        }
        assert counts["15"] == 0
        assert counts["30"] == counts["+Inf"] == 1
        assert value(found, f"{name}_seconds_sum", **labels) == 20
        assert value(found, f"{name}_seconds_count", **labels) == 1


def test_procedures_show_their_lag(harness: Harness) -> None:
    harness.run()
    harness.wait(minutes=3)
    found = scrape(harness)
    assert value(found, "wif_procedure_status", procedure=PARIS_FORM, status="active") == 1
    assert value(found, "wif_procedure_poll_lag_seconds", procedure=OTHER_FORM) == 180
    last = value(found, "wif_procedure_last_poll_timestamp_seconds", procedure=PARIS_FORM)
    assert last == START.timestamp()
    assert value(found, "wif_procedure_poll_failures", procedure=PARIS_FORM) == 0


def test_what_waits_shows_its_age(harness: Harness) -> None:
    harness.run()
    put(harness, number=1, status="pending", next_attempt_at=START)
    put(harness, number=2, unrouted=True, state="received", decided_at=START)
    put(harness, number=3, status="quarantined", aside_since=START)
    harness.wait(hours=1)
    found = scrape(harness)
    for what in ("unread", "unrouted", "quarantined"):
        assert value(found, "wif_waiting", what=what) == 1
        assert value(found, "wif_oldest_waiting_seconds", what=what) == 3600
    assert value(found, "wif_waiting", what="unsent") == 0


def test_incidents_parts_rules_and_seals_are_told(harness: Harness) -> None:
    harness.file()
    harness.run()
    harness.wait(minutes=5)
    assert value(scrape(harness), "wif_audit_unsealed_seconds") == 300
    seal(harness.runtime)
    with harness.runtime.database.begin() as connection:
        seen = PresentIncident(kind=IncidentKind.DEAD_LETTERS, subject="x", count=1)
        incidents.note(connection, seen, harness.now)
        heartbeats.note(connection, ["beat"], harness.now)
        note(connection, [ReceivedHint(procedure=PARIS_FORM, source=FORM)], harness.now)
    found = scrape(harness)
    assert value(found, "wif_incidents", kind="dead-letters") == 1
    assert value(found, "wif_incidents", kind="poll-lag") == 0
    assert value(found, "wif_part_seen_timestamp_seconds", part="beat") == harness.now.timestamp()
    heard = value(found, "wif_hint_heard_timestamp_seconds", procedure=PARIS_FORM)
    assert heard == harness.now.timestamp()
    assert value(found, "wif_audit_sealed_timestamp_seconds") == harness.now.timestamp()
    assert value(found, "wif_audit_unsealed_seconds") == 0
    active = harness.runtime.rule_sets.active()
    assert active is not None
    assert value(found, "wif_rule_set_info", rule_set=active[:12]) == 1


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_every_queue_has_a_label_of_its_own_and_times_are_not_added_up(harness: Harness) -> None:
    parts = ["beat", *queues.ALL]
    with harness.runtime.database.begin() as connection:
        for minutes, part in enumerate([*parts, "gone", "gone-too"]):
            heartbeats.note(connection, [part], START + timedelta(minutes=minutes))
    found = scrape(harness)
    seen = {
        part: value(found, "wif_part_seen_timestamp_seconds", part=part)
        for part in [*parts, "other"]
    }
    assert seen == {
        part: (START + timedelta(minutes=minutes)).timestamp() for minutes, part in enumerate(parts)
    } | {"other": (START + timedelta(minutes=len(parts) + 1)).timestamp()}


def test_requests_of_a_pass_are_counted(harness: Harness) -> None:
    harness.file()
    harness.run()
    assert value(scrape(harness), "wif_tps_requests_total", status=200) == 3


def test_requests_are_counted_by_status(harness: Harness) -> None:
    with harness.runtime.database.begin() as connection:
        tallies.add_requests(connection, {"200": 3, Cause.TPS_TIMEOUT.value: 1, "Dupont": 1})
    found = scrape(harness)
    assert value(found, "wif_tps_requests_total", status=200) == 3
    assert value(found, "wif_tps_requests_total", status="tps-timeout") == 1
    assert value(found, "wif_tps_requests_total", status="other") == 1


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_what_workers_share_is_told_where_there_is_a_broker(
    harness: Harness, broker: RedisServer, serve: Serve
) -> None:
    assert value(scrape(harness), "wif_tps_limit_ratio") is None
    server = serve(broker_url=broker.url, tps_requests_per_minute=100)
    other = server.runtime
    other.throttle.take()
    for _ in range(3):
        other.breakers.failed(TPS)
    text = requests.get(f"{server.private.url}/metrics", timeout=5).text
    found = read(text)
    assert value(found, "wif_tps_limit_ratio") == pytest.approx(0.01)
    assert value(found, "wif_breakers_open", kind="tps") == 1
    assert value(found, "wif_breakers_open", kind="address") == 0


def test_procedures_that_are_configured_no_more_are_one(harness: Harness) -> None:
    put(harness, number=1, procedure=1)
    put(harness, number=2, procedure=2)
    found = scrape(harness)
    rest = {"permit_type": "apprentissage", "department": "75", "outcome": "routed"}
    assert value(found, "wif_dossiers", procedure="other", **rest) == 2


def test_a_text_that_should_not_be_there_is_not_shown(harness: Harness) -> None:
    put(harness, permit_type="M. Dupont", department="Dup")
    with harness.runtime.database.begin() as connection:
        connection.execute(update(Dossier).values(status="Dupont"))
    text = page(harness.runtime).decode()
    assert "Dup" not in text
    assert 'outcome="other"' in text


def test_without_a_database_it_says_so(serve: Serve) -> None:
    url = serve(database_url="postgresql://nobody@127.0.0.1:1/none").private.url
    answer = requests.get(f"{url}/metrics", timeout=10)
    found = read(answer.text)
    assert answer.ok
    assert value(found, "wif_database_up") == 0
    assert {name for name, _ in found} >= {"wif_build_info"}


def test_it_is_what_prometheus_reads(serve: Serve, harness: Harness) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool here: apt-get install prometheus")
    harness.file()
    harness.wait(seconds=3)
    harness.run()
    answer = requests.get(f"{serve().private.url}/metrics", timeout=5)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    checked = subprocess.run(
        [program, "check", "metrics"], input=answer.content, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stderr.decode()) == (0, "")
    shown = {line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE")}
    assert shown <= {f"{each.name}{suffix}" for each in ALL for suffix in ("", "_total")}


def test_an_hour_of_polling_is_no_latency(harness: Harness) -> None:
    put(harness, lane=1, filed_at=START - timedelta(days=9))
    assert not [name for name, _ in scrape(harness) if name.startswith("wif_filed")]
