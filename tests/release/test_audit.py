"""The audit of the lock file: what is known weak is named, and so is what nobody asked about."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version
from pytest_httpserver import HTTPServer

from release.audit import Advisory, Record, ask, audit, read_record
from release.lock import Pin, read_lock

NOW = datetime(2026, 11, 28, tzinfo=UTC)
PINS = {
    canonicalize_name(name): Pin(Version(version), ())
    for name, version in (("jinja2", "3.1.6"), ("requests", "2.34.2"))
}
WEAK = Advisory(id="GHSA-1", package="jinja2", version="3.1.6", summary="escapes nothing")


def record(*advisories: Advisory, days: int = 1, asked: int = 2) -> Record:
    names = [f"{name}=={pin.version}" for name, pin in PINS.items()][:asked]
    return Record(NOW - timedelta(days=days), frozenset(names), advisories)


def test_a_weak_version_is_found_and_another_version_is_not() -> None:
    other = Advisory(id="GHSA-2", package="jinja2", version="3.1.5", summary="")
    assert audit(PINS, record(WEAK, other), now=NOW) == ([WEAK], [])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (record(days=31), "31 days old"),
        (record(asked=1), "1 locked versions were never asked about: requests==2.34.2"),
        (Record(None, frozenset(), ()), "nothing was recorded yet"),
    ],
)
def test_what_the_record_cannot_answer_for_is_said(given: Record, says: str) -> None:
    found, (gap,) = audit(PINS, given, now=NOW)
    assert found == []
    assert says in gap


def test_the_record_is_made_of_what_the_advisory_database_answers(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    queries = [
        {"package": {"ecosystem": "PyPI", "name": name}, "version": str(pin.version)}
        for name, pin in PINS.items()
    ]
    httpserver.expect_request("/v1/querybatch", json={"queries": queries}).respond_with_json(
        {"results": [{"vulns": [{"id": "GHSA-1", "modified": "2026-01-01T00:00:00Z"}]}, {}]}
    )
    httpserver.expect_request("/v1/vulns/GHSA-1").respond_with_json({"summary": WEAK.summary})
    path = tmp_path / "advisories.json"
    path.write_text(json.dumps(ask(PINS, source=httpserver.url_for("").rstrip("/"))))
    kept = read_record(path)
    assert kept.advisories == (WEAK,)
    assert kept.recorded_at is not None
    assert audit(PINS, kept, now=kept.recorded_at) == ([WEAK], [])


def test_the_lock_pins_what_is_installed_with_hashes() -> None:
    pins = read_lock()
    assert {"celery", "sqlalchemy", "pytest"} <= pins.keys()
    assert all(pin.hashes for pin in pins.values())


def test_the_shipped_record_can_be_read() -> None:
    read_record()
