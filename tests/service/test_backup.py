"""Backups: what is in one, and what is refused as none."""

import json
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from service.backup import MANIFEST, BackupError, back_up, read_manifest, verify_files
from tests.fixtures.harness import Harness
from tests.service.restored import put_back

pytestmark = pytest.mark.usefixtures("keeps_sent_log", "postgres_programs")

on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@on_sqlite
def test_rules_keys_and_seals_are_in_it_and_only_its_owner_can_read_it(
    harness: Harness, tmp_path: Path
) -> None:
    from service.seal import seal  # noqa: PLC0415

    harness.file()
    harness.run()
    seal(harness.runtime)
    folder = tmp_path / "backup"
    manifest = back_up(harness.runtime, folder)
    names = {file.path for file in manifest.files}
    assert names >= {
        *("config/units.yaml", "config/routing.yaml", "seals.jsonl"),
        *("keys/audit_keys", "keys/seal.key", "keys/seal.key.pub"),
    }
    assert {stat.S_IMODE(p.stat().st_mode) & 0o077 for p in folder.rglob("*")} == {0}
    without = back_up(harness.runtime, tmp_path / "without", keys=False)
    left_out = names - {file.path for file in without.files}
    assert left_out == {"keys/audit_keys", "keys/seal.key"}


@on_sqlite
def test_a_changed_missing_or_unfinished_backup_is_refused(
    harness: Harness, tmp_path: Path, new_database: str
) -> None:
    whole = tmp_path / "whole"
    manifest = back_up(harness.runtime, whole)
    for case in ("changed", "missing", "unfinished"):
        folder = tmp_path / case
        shutil.copytree(whole, folder)
        (folder / "config" / "units.yaml").write_text("units: []\n")
        if case == "missing":
            (folder / "config" / "units.yaml").unlink()
        if case == "unfinished":
            (folder / MANIFEST).unlink()
        with pytest.raises(BackupError, match=r"was changed|is missing"):
            put_back(harness, folder, new_database)
    verify_files(whole, manifest)


@on_sqlite
def test_a_path_out_of_the_backup_is_refused(harness: Harness, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    back_up(harness.runtime, folder)
    content = json.loads((folder / MANIFEST).read_text())
    content["files"][0]["path"] = "../elsewhere"
    (tmp_path / "elsewhere").write_text("x")
    (folder / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(BackupError, match="is missing"):
        verify_files(folder, read_manifest(folder))


@on_sqlite
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 5}, "is damaged"),
        ({"engine": []}, "is damaged"),
        ({"files": [{"path": 5, "bytes": 1, "sha256": ""}]}, "is damaged"),
        ({"files": []}, "database.sqlite3: is missing"),
    ],
)
def test_a_manifest_that_is_none_is_refused_in_a_line(
    harness: Harness, tmp_path: Path, new_database: str, change: dict[str, object], said: str
) -> None:
    folder = tmp_path / "backup"
    back_up(harness.runtime, folder)
    content = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**content, **change}))
    with pytest.raises(BackupError, match=said):
        put_back(harness, folder, new_database)


@on_sqlite
def test_a_sqlite_backup_is_a_whole_database(harness: Harness, tmp_path: Path) -> None:
    for _ in range(5):
        harness.file()
    harness.run()
    back_up(harness.runtime, tmp_path / "backup")
    copy = sqlite3.connect(tmp_path / "backup" / "database.sqlite3")
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert copy.execute("SELECT count(*) FROM dossiers").fetchone() == (5,)
    copy.close()
