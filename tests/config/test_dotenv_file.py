"""The file `.env`: read where it stands or is named, and refused in one line otherwise."""

from pathlib import Path

import pytest

from config.dotenv_file import DOTENV, LARGEST_DOTENV, SettingsError, dotenv


def test_the_file_that_is_named_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wif.env"
    path.write_text("# a comment\nWIF_LANG=fr\nWIF_CONTACT='Cellule nationale'\n")
    monkeypatch.setenv(DOTENV, str(path))
    assert dict(dotenv()) == {"WIF_LANG": "fr", "WIF_CONTACT": "Cellule nationale"}


def test_without_a_name_it_is_the_one_of_the_folder_if_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DOTENV)
    monkeypatch.chdir(tmp_path)
    assert dict(dotenv()) == {}
    Path(".env").write_text("WIF_LANG=fr\n")
    assert dict(dotenv()) == {"WIF_LANG": "fr"}


@pytest.mark.parametrize(
    "content", [None, b"WIF_LANG=\xff", b"#" * (LARGEST_DOTENV + 1)], ids=["none", "bytes", "huge"]
)
def test_one_that_cannot_be_read_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "secret-name.env"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(DOTENV, str(path))
    with pytest.raises(SettingsError) as refused:
        dotenv()
    assert str(refused.value).startswith("WIF_DOTENV: the file that it names cannot be read")
    assert "\n" not in str(refused.value)
    assert "secret-name" not in str(refused.value)
