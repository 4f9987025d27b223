"""Seals are seen by a third party: who owns database and key cannot rewrite the past."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import text

from connectors.timestamp import Authority, TimestampError, fetch_timestamp
from service.runtime import Runtime
from service.seal import seal, signing_key
from store.audit.seals import GENESIS, Seal, read_seals
from store.audit.timestamps import (
    Coverage,
    Timestamp,
    all_timestamps,
    check_timestamps,
    keep_timestamp,
)
from tests.fixtures.harness import Harness, WakeUpRecorder
from tests.fixtures.processes import wif
from tests.fixtures.timestamp_authority import OPENSSL, TimestampAuthority

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimestampAuthority:
    return TimestampAuthority(tmp_path_factory.mktemp("tsa") / "authority")


@pytest.fixture
def url(authority: TimestampAuthority, httpserver: HTTPServer) -> str:
    authority.refuses = False
    return authority.serve(httpserver)


@pytest.fixture
def harness(harness: Harness, authority: TimestampAuthority, url: str) -> Harness:
    """A service with a timestamp authority, on the authority's own clock."""
    old = harness.runtime
    old.close()
    changes = {"tsa_url": url, "tsa_certificates_file": authority.certificates}
    harness.now = datetime.now(UTC)
    harness.runtime = Runtime(
        old.settings.model_copy(update=changes),
        clock=lambda: harness.now,
        waker=WakeUpRecorder(),
        jitter=lambda: 0.0,
    )
    return harness


def sealed(harness: Harness) -> None:
    """One more seal, an hour later."""
    harness.now += HOUR
    harness.file()
    harness.run()
    seal(harness.runtime)


def checked(harness: Harness, authority: TimestampAuthority) -> Coverage:
    database = harness.runtime.database
    with database.read() as connection:
        stamps = all_timestamps(connection)
    time_of = Authority.from_file(authority.certificates).time_of
    return check_timestamps(read_seals(database), stamps, time_of, now=harness.now)


def test_the_newest_seal_is_stamped_once_an_hour(
    harness: Harness, authority: TimestampAuthority
) -> None:
    before = authority.asked
    sealed(harness)
    seal(harness.runtime)
    assert authority.asked == before + 1
    sealed(harness)
    found = checked(harness, authority)
    assert (found.timestamps, found.first, found.findings) == (2, 1, ())


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_an_authority_that_is_away_stops_no_sealing_and_is_made_up_for(
    harness: Harness, authority: TimestampAuthority
) -> None:
    sealed(harness)
    authority.refuses = True
    sealed(harness)
    assert len(list(read_seals(harness.runtime.database))) == 2
    authority.refuses = False
    sealed(harness)
    found = checked(harness, authority)
    assert (found.timestamps, found.findings) == (2, ())


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_seal_that_the_authority_saw_too_late_or_never_is_named(
    harness: Harness, authority: TimestampAuthority
) -> None:
    sealed(harness)
    authority.refuses = True
    sealed(harness)
    harness.now += timedelta(days=3)
    assert [str(each) for each in checked(harness, authority).findings] == [
        "seal 2: timestamp-late"
    ]


def test_timestamps_are_never_changed(harness: Harness) -> None:
    sealed(harness)
    for statement in ("DELETE FROM audit_timestamps", "UPDATE audit_timestamps SET number = 7"):
        with (
            pytest.raises(Exception, match="append-only"),
            harness.runtime.database.begin() as connection,
        ):
            connection.execute(text(statement))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_openssl_verifies_what_is_exported(
    harness: Harness, authority: TimestampAuthority, tmp_path: Path
) -> None:
    sealed(harness)
    settings = {
        "WIF_DATABASE_URL": harness.runtime.settings.database,
        "WIF_VAR_DIR": str(harness.runtime.settings.var_dir),
    }
    folder = tmp_path / "stamps"
    assert wif("audit", "seals", "timestamps", str(folder), **settings).returncode == 0
    files = ["-data", str(folder / "1.txt"), "-in", str(folder / "1.tsr")]
    trusted = ["-CAfile", str(authority.certificates)]
    done = subprocess.run(
        [OPENSSL, "ts", "-verify", *files, *trusted], capture_output=True, text=True, check=False
    )
    assert "Verification: OK" in done.stdout + done.stderr


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_wif_audit_verify_checks_them(harness: Harness, authority: TimestampAuthority) -> None:
    sealed(harness)
    settings = {
        "WIF_DATABASE_URL": harness.runtime.settings.database,
        "WIF_VAR_DIR": str(harness.runtime.settings.var_dir),
    }
    refused = wif("audit", "verify", **settings)
    assert refused.returncode == 2
    assert "give --tsa-certificates" in refused.stderr
    certificates = str(authority.certificates)
    done = wif("audit", "verify", "--tsa-certificates", certificates, "--json", **settings)
    assert done.returncode == 0
    assert json.loads(done.stdout)["timestamps"]["valid"] == 1
    shown = wif("audit", "verify", "--tsa-certificates", certificates, **settings)
    assert "it covers seal 1" in shown.stdout


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_past_rewritten_with_the_stolen_key_is_late(
    harness: Harness, authority: TimestampAuthority, url: str
) -> None:
    """The attacker has the database and the key, and may ask the authority, today."""
    own = Authority.from_file(authority.certificates)
    long_ago = harness.now - timedelta(days=400)
    key = signing_key(harness.runtime)
    rewritten = Seal.make(key, [_row()], number=1, previous=GENESIS, at=long_ago)
    stamp = Timestamp(1, long_ago, fetch_timestamp(url, rewritten.hash.encode(), own))
    found = check_timestamps(iter([rewritten]), [stamp], own.time_of, now=harness.now)
    assert [str(each) for each in found.findings] == ["seal 1: timestamp-late"]


def _row() -> tuple[object, ...]:
    return (1, "2025-01-01 00:00:00.000000", "seen", *(None,) * 12)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_timestamp_of_another_seal_or_another_authority_is_invalid(
    harness: Harness, authority: TimestampAuthority, url: str, tmp_path: Path
) -> None:
    own = Authority.from_file(authority.certificates)
    token = fetch_timestamp(url, b"something else", own)
    sealed(harness)
    stranger = TimestampAuthority(tmp_path / "stranger")
    with pytest.raises(TimestampError, match="timestamp-invalid"):
        Authority.from_file(stranger.certificates).time_of(token, b"something else")
    sealed(harness)
    harness.now += HOUR
    authority.refuses = True
    sealed(harness)
    with harness.runtime.database.begin() as connection:
        keep_timestamp(connection, Timestamp(3, harness.now, token))
    assert [str(each) for each in checked(harness, authority).findings] == [
        "seal 3: timestamp-invalid"
    ]


def test_what_is_no_timestamp_is_refused(
    authority: TimestampAuthority, httpserver: HTTPServer, engine_name: str
) -> None:
    own = Authority.from_file(authority.certificates)
    for body, status in ((b"nonsense", 200), (b"", 200), (b"x" * 200_000, 200), (b"", 503)):
        httpserver.clear()
        httpserver.expect_request("/tsr").respond_with_data(body, status=status)
        with pytest.raises(TimestampError):
            fetch_timestamp(httpserver.url_for("/tsr"), b"message", own)
