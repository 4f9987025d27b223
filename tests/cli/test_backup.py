"""`wif backup` and `wif restore` as an operator meets them."""

import json
import resource
from pathlib import Path

import pytest

from tests.fixtures.harness import Harness
from tests.fixtures.processes import wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
def settings(harness: Harness, tmp_path: Path) -> dict[str, str]:
    harness.file()
    harness.run()
    return {
        "WIF_DATABASE_URL": harness.runtime.settings.database,
        "WIF_VAR_DIR": str(harness.runtime.settings.var_dir),
        "WIF_SENT_LOG": str(tmp_path / "sent.jsonl"),
    }


def test_a_backup_is_made_and_restored(settings: dict[str, str], tmp_path: Path) -> None:
    folder, new = tmp_path / "backup", f"sqlite:///{tmp_path / 'new.sqlite3'}"
    made = wif("backup", str(folder), **settings)
    assert made.returncode == 0, made.stderr
    assert "complete" in made.stdout
    Path(settings["WIF_SENT_LOG"]).touch()
    back = wif("restore", str(folder), **{**settings, "WIF_DATABASE_URL": new})
    assert back.returncode == 0, back.stderr
    assert "sent log: 0 messages read" in back.stdout
    (dossier,) = json.loads(
        wif("dossiers", "list", "--json", **{**settings, "WIF_DATABASE_URL": new}).stdout
    )
    assert dossier["status"] == "routed"


def test_the_manifest_is_shown_as_json(settings: dict[str, str], tmp_path: Path) -> None:
    made = wif("backup", str(tmp_path / "backup"), "--without-keys", "--json", **settings)
    manifest = json.loads(made.stdout)
    assert manifest["has_keys"] is False
    assert {file["path"] for file in manifest["files"]} >= {"database.sqlite3"}


def test_a_restore_without_a_log_says_what_that_means(
    settings: dict[str, str], tmp_path: Path
) -> None:
    wif("backup", str(tmp_path / "backup"), **settings)
    new = {**settings, "WIF_DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}"}
    back = wif("restore", str(tmp_path / "backup"), **new)
    assert "NO LOG OF SENT MESSAGES" in back.stdout
    assert back.returncode == 3
    Path(settings["WIF_SENT_LOG"]).touch()
    later = wif("restore", str(tmp_path / "backup"), "--only-sent-log", **new)
    assert later.returncode == 0
    assert "sent log: 0 messages read" in later.stdout


def test_a_restore_by_a_damaged_log_asks_for_a_look(
    settings: dict[str, str], tmp_path: Path
) -> None:
    wif("backup", str(tmp_path / "backup"), **settings)
    Path(settings["WIF_SENT_LOG"]).write_text("not a line of ours\n")
    new = {**settings, "WIF_DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}"}
    back = wif("restore", str(tmp_path / "backup"), "--json", **new)
    assert json.loads(back.stdout)["damaged_lines"] == 1
    assert back.returncode == 3


def test_what_the_store_refuses_is_said_in_french(settings: dict[str, str], tmp_path: Path) -> None:
    wif("backup", str(tmp_path / "backup"), **settings)
    back = wif("restore", str(tmp_path / "backup"), **settings, WIF_LANG="fr")
    assert back.stderr.startswith("la base de données n'est pas vide")


def test_a_backup_that_does_not_fit_names_where_it_should_go_and_why(
    settings: dict[str, str], tmp_path: Path
) -> None:
    """A limit on the size of files stands in for a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        made = wif("backup", str(tmp_path / "backup"), **settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert made.returncode == 2
    assert f"cannot be copied to {tmp_path / 'backup' / 'database.sqlite3'} (disk" in made.stderr
    assert len(made.stderr.splitlines()) == 1


def test_after_a_restore_to_before_the_first_seal_the_audit_log_is_intact(
    settings: dict[str, str], tmp_path: Path
) -> None:
    wif("backup", str(tmp_path / "backup"), **settings)
    assert wif("audit", "seal", **settings).returncode == 0
    new = {**settings, "WIF_DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}"}
    back = wif("restore", str(tmp_path / "backup"), **new)
    assert "seals.jsonl.before-restore-1" in back.stdout
    for command in ("verify", "seal", "verify"):
        done = wif("audit", command, **new)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (("backup", "{full}"), 2, "is not empty"),
        (("restore", "{none}"), 2, "this is no backup"),
        (("restore", "{full}"), 2, "the database is not empty"),
        (("restore", "{full}", "--sent-log", "{none}/sent"), 2, "there is no such file"),
        (("backup", "{full}/manifest.json/b"), 1, "(Not a directory)"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    settings: dict[str, str], tmp_path: Path, command: tuple[str, ...], code: int, says: str
) -> None:
    wif("backup", str(tmp_path / "full"), **settings)
    paths = {"full": str(tmp_path / "full"), "none": str(tmp_path / "none")}
    refused = wif(*(word.format(**paths) for word in command), **settings)
    assert refused.returncode == code
    assert says in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
