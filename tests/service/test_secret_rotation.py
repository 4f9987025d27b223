"""Secrets in files are replaced while the service runs: no gap, no restart."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.settings import load
from service.poll import PollOutcome, poll
from service.runtime import Runtime
from service.secret_rotation import settings_now
from service.sweep import wake_due_polls
from store import procedures
from store.audit.check import verify
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness, WakeUpRecorder

on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def as_processes_are(harness: Harness) -> None:
    """Let the harness's runtime be as one that was started with the files that are there now."""
    old = harness.runtime
    old.close()
    changes = {"tps_token": settings_now().tps_token, "audit_key": settings_now().audit_key}
    given = {name: value for name, value in changes.items() if value}
    settings = old.settings.model_copy(update=given)
    harness.runtime = Runtime(settings, clock=old.clock, waker=WakeUpRecorder(), jitter=lambda: 0.0)


def replace_file(path: Path, content: str) -> None:
    """As an orchestrator does: another file under the same name."""
    draft = path.with_name("draft")
    draft.write_text(content)
    draft.replace(path)


@on_sqlite
def test_a_new_tps_token_is_taken_on_between_two_polls(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tps_token"
    path.write_text(harness.tps.token)
    monkeypatch.setenv("WIF_TPS_TOKEN_FILE", str(path))
    as_processes_are(harness)
    harness.file()
    harness.run()
    harness.tps.token = "the-next-token"
    replace_file(path, "the-next-token\n")
    number = harness.file()
    harness.runtime.refresh()
    harness.wait(minutes=2)
    harness.run()
    assert harness.told(number) == [("filed", "UD075")]


@on_sqlite
def test_a_file_that_is_away_or_wrong_leaves_the_secret_that_works(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "smtp_url"
    path.write_text("smtp://one.example")
    monkeypatch.setenv("WIF_SMTP_URL_FILE", str(path))
    runtime = Runtime(settings_now())
    path.unlink()
    runtime.refresh()
    assert _smtp(runtime) == "smtp://one.example"
    path.write_text("gopher://nonsense")
    runtime.refresh()
    assert _smtp(runtime) == "smtp://one.example"
    replace_file(path, "smtp://two.example")
    runtime.refresh()
    assert _smtp(runtime) == "smtp://two.example"


def _smtp(runtime: Runtime) -> str:
    assert runtime.settings.smtp_url is not None
    return runtime.settings.smtp_url.get_secret_value()


@on_sqlite
def test_a_file_written_in_place_or_behind_a_link_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine_name: str
) -> None:
    for version in ("a", "b"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "token").write_text(f"token-{version}")
    (tmp_path / "current").symlink_to(tmp_path / "a")
    monkeypatch.setenv("WIF_TPS_TOKEN_FILE", str(tmp_path / "current" / "token"))
    runtime = Runtime(settings_now())
    (tmp_path / "next").symlink_to(tmp_path / "b")
    (tmp_path / "next").replace(tmp_path / "current")
    runtime.refresh()
    assert _token(runtime) == "token-b"
    (tmp_path / "b" / "token").write_text("token-b-again")
    runtime.refresh()
    assert _token(runtime) == "token-b-again"


def _token(runtime: Runtime) -> str:
    assert runtime.settings.tps_token is not None
    return runtime.settings.tps_token.get_secret_value()


@on_sqlite
def test_a_rotated_audit_key_writes_new_lines_and_finds_the_old_ones(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (base64.b64encode(bytes([byte]) * 32).decode() for byte in (1, 2))
    current, previous = tmp_path / "audit_key", tmp_path / "previous"
    current.write_text(old)
    previous.write_text("")
    monkeypatch.setenv("WIF_AUDIT_KEY_FILE", str(current))
    monkeypatch.setenv("WIF_AUDIT_PREVIOUS_KEYS_FILE", str(previous))
    as_processes_are(harness)
    number = harness.file()
    harness.run()
    replace_file(previous, old)
    replace_file(current, new)
    harness.runtime.refresh()
    harness.wait(minutes=30)
    harness.tps.change(number, department="93")
    harness.run()
    steps = harness.steps(number)
    assert steps[0] == "seen"
    assert "sent" in steps
    assert len(harness.runtime.audit.keys) == 2
    assert steps.count("classified") == 2
    assert verify(harness.runtime.database, trusted=frozenset()).intact


@on_sqlite
def test_a_process_that_starts_late_takes_what_the_files_say_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine_name: str
) -> None:
    path = tmp_path / "token"
    path.write_text("first")
    monkeypatch.setenv("WIF_TPS_TOKEN_FILE", str(path))
    load.cache_clear()
    load()  # as the parent of worker processes does at its start
    replace_file(path, "second")
    assert _token(Runtime(settings_now())) == "second"
    path.unlink()
    assert _token(Runtime(settings_now())) == "first"
    load.cache_clear()


def test_a_new_tps_token_wakes_what_the_old_one_stopped(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tps_token"
    path.write_text(harness.tps.token)
    monkeypatch.setenv("WIF_TPS_TOKEN_FILE", str(path))
    as_processes_are(harness)
    harness.run()
    harness.tps.token = "the-next-token"
    number = harness.file()
    harness.wait(minutes=2)
    harness.run()
    assert stopped(harness) == {PARIS_FORM: "tps-unauthorized", OTHER_FORM: "tps-unauthorized"}
    replace_file(path, "a-mistyped-token")
    harness.wait(minutes=5)
    assert tick(harness) == 2, "each is tried once"
    assert tick(harness) == 0
    replace_file(path, "the-next-token")
    harness.wait(minutes=5)
    assert tick(harness) == 2
    assert stopped(harness) == {}
    assert harness.steps().count("procedure-resumed") == 2
    harness.run()
    assert harness.told(number) == [("filed", "UD075")]


def test_a_new_token_is_no_reason_to_hurry_once_it_was_tried(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tps_token"
    path.write_text("a-mistyped-token")
    monkeypatch.setenv("WIF_TPS_TOKEN_FILE", str(path))
    as_processes_are(harness)
    harness.run()
    replace_file(path, harness.tps.token)
    harness.tps.fail_all(503)
    harness.wait(minutes=5)
    assert tick(harness) == 2
    assert tick(harness) == 0
    assert set(stopped(harness)) == {PARIS_FORM, OTHER_FORM}


def test_two_workers_with_two_refused_tokens_do_not_take_turns(harness: Harness) -> None:
    """A new file may be there on one of them only, for as long as that takes."""
    good = harness.runtime.settings.tps_token
    both = [*_give_in_turn(harness, SecretStr("one"), SecretStr("two"), ticks=80)]
    assert sum(both) <= 2 * (1 + 80 * 15 // 300)
    assert sum(both) > 2, "the other token is tried"
    harness.wait(hours=1)
    list(_give_in_turn(harness, good, SecretStr("two"), ticks=80))
    assert harness.steps().count("procedure-resumed") <= 2 * (1 + 80 * 15 // 300)


def _give_in_turn(harness: Harness, *tokens: SecretStr | None, ticks: int) -> Iterator[int]:
    """How many polls asked TPS at each tick, which one worker after the other takes."""
    for count in range(ticks):
        token = tokens[count % len(tokens)]
        harness.runtime.close()
        harness.runtime.settings = harness.runtime.settings.model_copy(update={"tps_token": token})
        yield tick(harness)


@on_sqlite
def test_another_spelling_of_the_address_is_no_other_access(harness: Harness) -> None:
    runtime = harness.runtime

    def access_hash(url: str) -> str | None:
        runtime.settings = runtime.settings.model_copy(update={"tps_url": url})
        return runtime.tps_access_hash

    spellings = ("https://TPS.example", "https://tps.example:443/", "https://tps.example/api/v1")
    assert len({access_hash(url) for url in spellings}) == 1
    assert access_hash("https://tps.example:8443") != access_hash("https://tps.example")


def tick(harness: Harness) -> int:
    """The next tick of beat, and the polls that it wakes; how many asked TPS."""
    harness.wait(seconds=15)
    harness.runtime.refresh()
    waker = WakeUpRecorder()
    wake_due_polls(harness.runtime, waker)
    woken = [int(each.split()[1]) for each in waker.woken]
    polled = [poll(harness.runtime, number, only_due=True) for number in woken]
    return sum(each.outcome is not PollOutcome.BUSY for each in polled)


def stopped(harness: Harness) -> dict[int, str | None]:
    """The procedures that are stopped, with the reason."""
    with harness.runtime.database.read() as connection:
        rows = procedures.listing(connection)
    return {row.number: row.reason for row in rows if row.status == "stopped"}
