"""A wrong setting always comes with an example."""

import os
from pathlib import Path

import pytest

from config.settings import Settings, SettingsError, example_of, read


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_has_an_example(name: str) -> None:
    assert example_of(name) not in {"", "None"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("poll_interval", "-1"),
        ("tps_page_size", "0"),
        ("tps_url", "ftp://x"),
        ("database_url", "mysql://x"),
        ("seal_public_keys", "abc"),
        ("alarm_url", "gopher://x"),
        ("retention_days", "x"),
    ],
)
def test_a_wrong_value_is_told_with_its_name_and_an_example(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(**{name: value})
    assert str(caught.value).startswith(f"WIF_{name.upper()}: ")
    assert "; for example: " in str(caught.value)


def test_a_secret_in_a_pipe_or_in_a_flood_is_refused_and_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "flood").write_bytes(b"x" * 100_000)
    (tmp_path / "token").write_text("a-token\n")
    (tmp_path / "link").symlink_to(tmp_path / "token")
    for name in ("pipe", "flood"):
        monkeypatch.setenv("WIF_TPS_TOKEN_FILE", str(tmp_path / name))
        with pytest.raises(SettingsError, match="WIF_TPS_TOKEN_FILE: the file"):
            read()
    monkeypatch.setenv("WIF_TPS_TOKEN_FILE", str(tmp_path / "link"))
    token = read().tps_token
    assert token is not None
    assert token.get_secret_value() == "a-token"
