"""Autoreload: an edit is published, a wrong one is refused and shown."""

import shutil
from pathlib import Path

import pytest

from config.settings import HERE
from service.actor import SERVICE
from service.rules_autoreload import ReloadOutcome, autoreload
from store import refusals, rulesets
from tests.stage import Stage


@pytest.fixture
def folder(stage: Stage, tmp_path: Path) -> Path:
    """A folder of rules of its own; what is in it is in force."""
    copy = tmp_path / "rules"
    copy.mkdir()
    for path in HERE.glob("*.yaml"):
        shutil.copy(path, copy)
    settings = stage.runtime.settings.model_copy(
        update={"config_dir": copy, "rules_autoreload": True}
    )
    stage.runtime.settings = settings
    stage.runtime.rules()
    return copy


def edit(folder: Path, name: str, before: str, after: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def actions(stage: Stage) -> list[str]:
    with stage.runtime.database.read() as connection:
        return [activation.action for activation in rulesets.history(connection)]


def test_files_that_did_not_change_are_left_alone(stage: Stage, folder: Path) -> None:
    assert autoreload(stage.runtime) is ReloadOutcome.UNCHANGED
    assert actions(stage) == ["publish"]


def test_an_edit_is_in_force_after_one_look(stage: Stage, folder: Path) -> None:
    edit(folder, "units.yaml", "moe.ud075@", "nouvelle.moe.ud075@")
    assert autoreload(stage.runtime) is ReloadOutcome.PUBLISHED
    channels = stage.runtime.rules().units["UD075"].channels
    assert channels[0].address.startswith("nouvelle.")
    assert actions(stage) == ["reload", "publish"]
    with stage.runtime.database.read() as connection:
        newest = rulesets.history(connection)[0]
    assert (newest.actor, newest.note) == (SERVICE, "files-changed")


def test_a_wrong_edit_is_refused_once_and_the_last_good_rules_stay(
    stage: Stage, folder: Path
) -> None:
    before = stage.runtime.rules().hash
    edit(folder, "units.yaml", "code: UD075", "code: UD75x")
    assert autoreload(stage.runtime) is ReloadOutcome.REFUSED
    assert autoreload(stage.runtime) is ReloadOutcome.UNCHANGED
    assert stage.runtime.rules().hash == before
    assert stage.steps().count("rules-refused") == 1
    with stage.runtime.database.read() as connection:
        assert refusals.refused(connection) is not None


def test_a_mended_edit_ends_the_refusal(stage: Stage, folder: Path) -> None:
    edit(folder, "units.yaml", "code: UD075", "code: UD75x")
    autoreload(stage.runtime)
    edit(folder, "units.yaml", "code: UD75x", "code: UD075")
    assert autoreload(stage.runtime) is ReloadOutcome.UNCHANGED
    with stage.runtime.database.read() as connection:
        assert refusals.refused(connection) is None


def test_nothing_is_reloaded_unless_it_was_asked_for(stage: Stage, folder: Path) -> None:
    off = stage.runtime.settings.model_copy(update={"rules_autoreload": False})
    stage.runtime.settings = off
    edit(folder, "units.yaml", "moe.ud075@", "nouvelle.moe.ud075@")
    assert autoreload(stage.runtime) is ReloadOutcome.OFF
