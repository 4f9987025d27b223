"""`wif init`: a folder that works as it is and says what to fill in."""

import re
from pathlib import Path

import pytest
from dotenv import dotenv_values

from cli.init import env_example
from config.settings import HERE, Settings, read
from tests.fixtures.french import french_catalogue
from tests.fixtures.processes import wif, wif_shows


def test_the_folder_holds_the_default_rules_and_they_have_no_mistakes(tmp_path: Path) -> None:
    made = wif("init", str(tmp_path / "wif"))
    assert made.returncode == 0
    config = tmp_path / "wif" / "config"
    for path in HERE.glob("*.yaml"):
        assert (config / path.name).read_bytes() == path.read_bytes()
    given = {"WIF_CONFIG_DIR": str(config), "WIF_VAR_DIR": str(tmp_path / "var")}
    assert wif("rules", "check", **given).returncode == 0


def test_the_schemas_that_the_files_name_are_beside_them(tmp_path: Path) -> None:
    wif("init", str(tmp_path))
    for path in (tmp_path / "config").glob("*.yaml"):
        first = path.read_text().splitlines()[0]
        assert (path.parent / first.rpartition("=")[2]).is_file()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text("mine")
    refused = wif("init", str(tmp_path))
    assert refused.returncode == 2
    assert "is there already" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == [".env.example"]


def test_the_example_names_every_setting_and_no_other(tmp_path: Path) -> None:
    lines = [line.lstrip("#") for line in env_example().splitlines() if "WIF_" in line]
    names = [line.partition("=")[0] for line in lines]
    settings = {name.removesuffix("_FILE").removeprefix("WIF_").lower() for name in names}
    known = {name.removesuffix("_file") for name in Settings.model_fields}
    assert settings == known
    assert len(names) == len(Settings.model_fields)


def test_the_example_can_be_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(env_example())
    monkeypatch.setenv("WIF_DOTENV", str(tmp_path / ".env"))
    assert dotenv_values(tmp_path / ".env") == {"WIF_CONFIG_DIR": "config", "WIF_VAR_DIR": "var"}
    assert read().config_dir == Path("config")


def test_without_settings_the_folder_beside_is_not_used_in_silence(tmp_path: Path) -> None:
    wif("init", str(tmp_path / "wif"))
    said = wif_shows(tmp_path / "wif", "rules", "check")
    assert "warning: " in said
    assert "set WIF_CONFIG_DIR=config" in said
    assert "warning: " not in wif_shows(tmp_path / "wif", "rules", "check", "config")


def test_the_example_of_settings_is_in_one_language() -> None:
    english = env_example().splitlines()
    with french_catalogue():
        french = env_example().splitlines()
    assert [line.partition("=")[0] for line in french if line[:2] != "# "] == [
        line.partition("=")[0] for line in english if line[:2] != "# "
    ]
    sentences = re.compile(r"\b(?:the|its|or|which|with|on another)\b")
    assert [line for line in french if sentences.search(line)] == []
    assert [line for line in english if sentences.search(line)]
