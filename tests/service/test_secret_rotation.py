"""Secrets in files are replaced while the service runs: no gap, no restart."""

import base64
from pathlib import Path

import pytest

from config.settings import load
from service.runtime import Runtime
from service.secret_rotation import settings_now
from store.audit.check import verify
from tests.fixtures.harness import Harness, WakeUpRecorder

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


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
