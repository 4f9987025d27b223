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
from tests.processes import wif
from tests.stage import Recorder, Stage
from tests.timestamp_authority import OPENSSL, TimestampAuthority

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimestampAuthority:
    return TimestampAuthority(tmp_path_factory.mktemp("tsa") / "authority")


@pytest.fixture
def url(authority: TimestampAuthority, httpserver: HTTPServer) -> str:
    authority.refuses = False
    return authority.serve(httpserver)


@pytest.fixture
def stage(stage: Stage, authority: TimestampAuthority, url: str) -> Stage:
    """A service with a timestamp authority, on the authority's own clock."""
    old = stage.runtime
    old.close()
    changes = {"tsa_url": url, "tsa_certificates_file": authority.certificates}
    stage.now = datetime.now(UTC)
    stage.runtime = Runtime(
        old.settings.model_copy(update=changes),
        clock=lambda: stage.now,
        waker=Recorder(),
        jitter=lambda: 0.0,
    )
    return stage


def sealed(stage: Stage) -> None:
    """One more seal, an hour later."""
    stage.now += HOUR
    stage.file()
    stage.run()
    seal(stage.runtime)


def checked(stage: Stage, authority: TimestampAuthority) -> Coverage:
    database = stage.runtime.database
    with database.read() as connection:
        stamps = all_timestamps(connection)
    time_of = Authority.from_file(authority.certificates).time_of
    return check_timestamps(read_seals(database), stamps, time_of, now=stage.now)


def test_the_newest_seal_is_stamped_once_an_hour(
    stage: Stage, authority: TimestampAuthority
) -> None:
    before = authority.asked
    sealed(stage)
    seal(stage.runtime)
    assert authority.asked == before + 1
    sealed(stage)
    found = checked(stage, authority)
    assert (found.timestamps, found.first, found.findings) == (2, 1, ())


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_an_authority_that_is_away_stops_no_sealing_and_is_made_up_for(
    stage: Stage, authority: TimestampAuthority
) -> None:
    sealed(stage)
    authority.refuses = True
    sealed(stage)
    assert len(list(read_seals(stage.runtime.database))) == 2
    authority.refuses = False
    sealed(stage)
    found = checked(stage, authority)
    assert (found.timestamps, found.findings) == (2, ())


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_seal_that_the_authority_saw_too_late_or_never_is_named(
    stage: Stage, authority: TimestampAuthority
) -> None:
    sealed(stage)
    authority.refuses = True
    sealed(stage)
    stage.now += timedelta(days=3)
    assert [str(each) for each in checked(stage, authority).findings] == ["seal 2: timestamp-late"]


def test_timestamps_are_never_changed(stage: Stage) -> None:
    sealed(stage)
    for statement in ("DELETE FROM audit_timestamps", "UPDATE audit_timestamps SET number = 7"):
        with (
            pytest.raises(Exception, match="append-only"),
            stage.runtime.database.begin() as connection,
        ):
            connection.execute(text(statement))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_openssl_verifies_what_is_exported(
    stage: Stage, authority: TimestampAuthority, tmp_path: Path
) -> None:
    sealed(stage)
    settings = {
        "WIF_DATABASE_URL": stage.runtime.settings.database,
        "WIF_VAR_DIR": str(stage.runtime.settings.var_dir),
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
def test_wif_audit_verify_checks_them(stage: Stage, authority: TimestampAuthority) -> None:
    sealed(stage)
    settings = {
        "WIF_DATABASE_URL": stage.runtime.settings.database,
        "WIF_VAR_DIR": str(stage.runtime.settings.var_dir),
    }
    refused = wif("audit", "verify", **settings)
    assert refused.returncode == 2
    assert "give --tsa-certificates" in refused.stderr
    certificates = str(authority.certificates)
    done = wif("audit", "verify", "--tsa-certificates", certificates, "--json", **settings)
    assert done.returncode == 0
    assert json.loads(done.stdout)["timestamps"]["valid"] == 1
    shown = wif("audit", "verify", "--tsa-certificates", certificates, **settings)
    assert "the first covers seal 1" in shown.stdout


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_past_rewritten_with_the_stolen_key_is_late(
    stage: Stage, authority: TimestampAuthority, url: str
) -> None:
    """The attacker has the database and the key, and may ask the authority, today."""
    own = Authority.from_file(authority.certificates)
    long_ago = stage.now - timedelta(days=400)
    key = signing_key(stage.runtime)
    rewritten = Seal.make(key, [_row()], number=1, previous=GENESIS, at=long_ago)
    stamp = Timestamp(1, long_ago, fetch_timestamp(url, rewritten.hash.encode(), own))
    found = check_timestamps(iter([rewritten]), [stamp], own.time_of, now=stage.now)
    assert [str(each) for each in found.findings] == ["seal 1: timestamp-late"]


def _row() -> tuple[object, ...]:
    return (1, "2025-01-01 00:00:00.000000", "seen", *(None,) * 12)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_timestamp_of_another_seal_or_another_authority_is_invalid(
    stage: Stage, authority: TimestampAuthority, url: str, tmp_path: Path
) -> None:
    own = Authority.from_file(authority.certificates)
    token = fetch_timestamp(url, b"something else", own)
    sealed(stage)
    stranger = TimestampAuthority(tmp_path / "stranger")
    with pytest.raises(TimestampError, match="timestamp-invalid"):
        Authority.from_file(stranger.certificates).time_of(token, b"something else")
    sealed(stage)
    stage.now += HOUR
    authority.refuses = True
    sealed(stage)
    with stage.runtime.database.begin() as connection:
        keep_timestamp(connection, Timestamp(3, stage.now, token))
    assert [str(each) for each in checked(stage, authority).findings] == [
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
