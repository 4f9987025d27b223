"""Restoring: every row and key comes back, and nothing that is there is overwritten."""

import json
from pathlib import Path

import pytest
from sqlalchemy import make_url

from service.backup import MANIFEST, BackupError, back_up
from service.restore import restore
from store.audit.check import verify
from store.audit.seal_file import load_seals
from store.database_copy import CopyError, is_void
from tests.fixtures.harness import Harness
from tests.service.restored import put_back, reconfigure

pytestmark = pytest.mark.usefixtures("keeps_sent_log", "postgres_programs")

on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def test_a_backup_restores_every_row_and_verifies(
    harness: Harness, tmp_path: Path, new_database: str
) -> None:
    numbers = [harness.file(), harness.file(department="93")]
    harness.run()
    manifest = back_up(harness.runtime, tmp_path / "backup")
    before = (
        [harness.dossier(number) for number in numbers],
        harness.deliveries(),
        harness.steps(),
    )
    put_back(harness, tmp_path / "backup", new_database)
    assert [harness.dossier(number) for number in numbers] == before[0]
    assert harness.deliveries() == before[1]
    assert harness.steps() == [*before[2], "restored"]
    assert manifest.engine == harness.runtime.database.dialect
    assert verify(harness.runtime.database, trusted=frozenset()).intact


@on_sqlite
def test_the_keys_come_back_on_a_new_machine(
    harness: Harness, tmp_path: Path, new_database: str
) -> None:
    harness.file()
    harness.run()
    key = harness.runtime.settings.audit_keys()
    back_up(harness.runtime, tmp_path / "backup")
    reconfigure(harness, database_url=new_database, var_dir=tmp_path / "machine")
    report = restore(harness.runtime, tmp_path / "backup", [])
    assert harness.runtime.settings.audit_keys() == key
    assert tmp_path / "machine" / "audit.key" in report.placed


@on_sqlite
def test_a_later_journal_of_seals_is_kept_as_evidence_and_sealing_goes_on(
    harness: Harness, tmp_path: Path, new_database: str
) -> None:
    from service.seal import seal  # noqa: PLC0415

    for _ in range(2):
        harness.file()
        harness.run()
        seal(harness.runtime)
        if not (tmp_path / "backup").exists():
            back_up(harness.runtime, tmp_path / "backup")
    later = harness.runtime.settings.seal_journal.read_bytes()
    put_back(harness, tmp_path / "backup", new_database)
    journal = harness.runtime.settings.seal_journal
    assert journal.with_name("seals.jsonl.before-restore-1").read_bytes() == later
    assert seal(harness.runtime).lines > 0


def test_a_journal_begun_after_the_backup_is_moved_aside_and_the_log_is_intact(
    harness: Harness, tmp_path: Path, new_database: str
) -> None:
    from service.seal import seal  # noqa: PLC0415

    harness.file()
    harness.run()
    back_up(harness.runtime, tmp_path / "backup")
    seal(harness.runtime)
    journal = harness.runtime.settings.seal_journal
    later = journal.read_bytes()
    report = put_back(harness, tmp_path / "backup", new_database)
    assert report.aside == journal.with_name("seals.jsonl.before-restore-1")
    assert report.aside.read_bytes() == later
    assert not journal.exists()
    assert journal not in report.placed
    assert verify(harness.runtime.database, trusted=frozenset()).intact
    assert seal(harness.runtime).lines > 0
    exported = {each.number: each.hash for each in load_seals(journal)}
    assert verify(harness.runtime.database, trusted=frozenset(), exported=exported).intact


@on_sqlite
def test_nothing_is_overwritten(harness: Harness, tmp_path: Path) -> None:
    harness.file()
    harness.run()
    back_up(harness.runtime, tmp_path / "backup")
    with pytest.raises(BackupError, match="is not empty"):
        back_up(harness.runtime, tmp_path / "backup")
    with pytest.raises(CopyError, match="the database is not empty"):
        restore(harness.runtime, tmp_path / "backup", [])


def test_a_backup_under_other_audit_keys_is_refused_before_anything_is_loaded(
    harness: Harness, tmp_path: Path, new_database: str
) -> None:
    back_up(harness.runtime, tmp_path / "backup")
    (harness.runtime.settings.var_dir / "audit.key").unlink()
    reconfigure(harness, database_url=new_database)
    harness.runtime.settings.audit_keys()  # another one is made
    with pytest.raises(BackupError, match="1 audit key of the backup is not in"):
        restore(harness.runtime, tmp_path / "backup", [])
    if harness.runtime.database.dialect == "sqlite":
        assert not Path(make_url(new_database).database or "").exists()


@on_sqlite
def test_nothing_is_loaded_while_a_log_of_sent_messages_cannot_be_read(
    harness: Harness, tmp_path: Path, new_database: str
) -> None:
    harness.file()
    harness.run()
    back_up(harness.runtime, tmp_path / "backup")
    reconfigure(harness, database_url=new_database)
    with pytest.raises(FileNotFoundError):
        restore(harness.runtime, tmp_path / "backup", [tmp_path / "missing.jsonl"])
    assert is_void(harness.runtime.database)


@on_sqlite
def test_a_later_schema_is_refused(harness: Harness, tmp_path: Path, new_database: str) -> None:
    folder = tmp_path / "backup"
    back_up(harness.runtime, folder)
    content = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**content, "schema": "9999"}))
    with pytest.raises(BackupError, match="made by a later program"):
        put_back(harness, folder, new_database)
