"""Autoreload: an edit is published, a wrong one is refused and shown."""

import shutil
from pathlib import Path

import pytest

from config.settings import HERE
from service.actor import SERVICE
from service.rules_autoreload import ReloadOutcome, autoreload
from store import refusals, rulesets
from tests.fixtures.harness import Harness


@pytest.fixture
def folder(harness: Harness, tmp_path: Path) -> Path:
    """A folder of rules of its own; what is in it is in force."""
    copy = tmp_path / "rules"
    copy.mkdir()
    for path in HERE.glob("*.yaml"):
        shutil.copy(path, copy)
    settings = harness.runtime.settings.model_copy(
        update={"config_dir": copy, "rules_autoreload": True}
    )
    harness.runtime.settings = settings
    harness.runtime.rules()
    return copy


def edit(folder: Path, name: str, before: str, after: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def actions(harness: Harness) -> list[str]:
    with harness.runtime.database.read() as connection:
        return [activation.action for activation in rulesets.history(connection)]


def test_files_that_did_not_change_are_left_alone(harness: Harness, folder: Path) -> None:
    assert autoreload(harness.runtime) is ReloadOutcome.UNCHANGED
    assert actions(harness) == ["publish"]


def test_an_edit_is_in_force_after_one_look(harness: Harness, folder: Path) -> None:
    edit(folder, "units.yaml", "moe.ud075@", "nouvelle.moe.ud075@")
    assert autoreload(harness.runtime) is ReloadOutcome.PUBLISHED
    channels = harness.runtime.rules().units["UD075"].channels
    assert channels[0].address.startswith("nouvelle.")
    assert actions(harness) == ["reload", "publish"]
    with harness.runtime.database.read() as connection:
        newest = rulesets.history(connection)[0]
    assert (newest.actor, newest.note) == (SERVICE, "files-changed")


def test_a_wrong_edit_is_refused_once_and_the_last_good_rules_stay(
    harness: Harness, folder: Path
) -> None:
    before = harness.runtime.rules().hash
    edit(folder, "units.yaml", "code: UD075", "code: UD75x")
    assert autoreload(harness.runtime) is ReloadOutcome.REFUSED
    assert autoreload(harness.runtime) is ReloadOutcome.UNCHANGED
    assert harness.runtime.rules().hash == before
    assert harness.steps().count("rules-refused") == 1
    with harness.runtime.database.read() as connection:
        assert refusals.refused(connection) is not None


def test_a_mended_edit_ends_the_refusal(harness: Harness, folder: Path) -> None:
    edit(folder, "units.yaml", "code: UD075", "code: UD75x")
    autoreload(harness.runtime)
    edit(folder, "units.yaml", "code: UD75x", "code: UD075")
    assert autoreload(harness.runtime) is ReloadOutcome.UNCHANGED
    with harness.runtime.database.read() as connection:
        assert refusals.refused(connection) is None


def test_nothing_is_reloaded_unless_it_was_asked_for(harness: Harness, folder: Path) -> None:
    off = harness.runtime.settings.model_copy(update={"rules_autoreload": False})
    harness.runtime.settings = off
    edit(folder, "units.yaml", "moe.ud075@", "nouvelle.moe.ud075@")
    assert autoreload(harness.runtime) is ReloadOutcome.OFF
