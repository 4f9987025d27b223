"""Backup and restore: what is complete, what is refused, and what offices are told afterwards."""

import json
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from config.settings import read
from service.backup import MANIFEST, BackupError, back_up, read_manifest, verify_files
from service.restore import RestoreReport, apply_sent_logs, restore
from service.runtime import Runtime
from store import restored_sends
from store.audit.check import verify
from store.database_copy import CopyError
from tests.fixtures_postgres import PACKAGE, Databases
from tests.stage import OTHER_FORM, Recorder, Stage


@pytest.fixture(autouse=True)
def _postgres_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pg_dump` of the server's own version."""
    newest = max(PACKAGE.glob("pginstall*"), key=lambda folder: folder.name)
    monkeypatch.setenv("PATH", f"{newest / 'bin'}:/usr/bin:/bin")


@pytest.fixture
def sent_log(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "sent.jsonl"


@pytest.fixture
def stage(stage: Stage, sent_log: Path) -> Stage:
    """A stage whose service keeps a log of what it sent."""
    reconfigure(stage, sent_log=sent_log)
    return stage


@pytest.fixture
def new_database(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database to restore into."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'wif.sqlite3'}"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    url = databases.create()
    yield url
    databases.drop(url)


def reconfigure(stage: Stage, **changes: Any) -> None:  # noqa: ANN401
    """Let the service of a stage go on with other settings, as a new process."""
    old = stage.runtime
    old.close()
    settings = read(**{**old.settings.model_dump(), **changes})
    stage.runtime = Runtime(settings, clock=old.clock, waker=Recorder(), jitter=lambda: 0.0)


def put_back(stage: Stage, backup: Path, database: str, *sent_logs: Path) -> RestoreReport:
    """Restore into another database, and go on with that."""
    reconfigure(stage, database_url=database)
    return restore(stage.runtime, backup, sent_logs)


def mails(stage: Stage, number: int) -> list[str]:
    """The subjects of the mails about a dossier, in no order."""
    return sorted(str(mail["Subject"]) for mail in stage.mails() if str(number) in mail["Subject"])


on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""What does not depend on the engine: `pg_dump` and `pg_restore` take a second each time."""


# --- what is in it ----------------------------------------------------------------------------


def test_a_backup_restores_every_row_and_verifies(
    stage: Stage, tmp_path: Path, new_database: str
) -> None:
    numbers = [stage.file(), stage.file(department="93")]
    stage.run()
    manifest = back_up(stage.runtime, tmp_path / "backup")
    before = ([stage.dossier(number) for number in numbers], stage.deliveries(), stage.steps())
    put_back(stage, tmp_path / "backup", new_database)
    assert [stage.dossier(number) for number in numbers] == before[0]
    assert stage.deliveries() == before[1]
    assert stage.steps() == [*before[2], "restored"]
    assert manifest.engine == stage.runtime.database.dialect
    assert verify(stage.runtime.database, trusted=frozenset()).intact


@on_sqlite
def test_rules_keys_and_seals_are_in_it_and_only_its_owner_can_read_it(
    stage: Stage, tmp_path: Path
) -> None:
    from service.seal import seal  # noqa: PLC0415

    stage.file()
    stage.run()
    seal(stage.runtime)
    folder = tmp_path / "backup"
    manifest = back_up(stage.runtime, folder)
    names = {file.path for file in manifest.files}
    assert names >= {
        *("config/units.yaml", "config/routing.yaml", "seals.jsonl"),
        *("keys/audit_keys", "keys/seal.key", "keys/seal.key.pub"),
    }
    assert {stat.S_IMODE(p.stat().st_mode) & 0o077 for p in folder.rglob("*")} == {0}
    without = back_up(stage.runtime, tmp_path / "without", keys=False)
    left_out = names - {file.path for file in without.files}
    assert left_out == {"keys/audit_keys", "keys/seal.key"}


@on_sqlite
def test_the_keys_come_back_on_a_new_machine(
    stage: Stage, tmp_path: Path, new_database: str
) -> None:
    stage.file()
    stage.run()
    key = stage.runtime.settings.audit_keys()
    back_up(stage.runtime, tmp_path / "backup")
    reconfigure(stage, database_url=new_database, var_dir=tmp_path / "machine")
    report = restore(stage.runtime, tmp_path / "backup", [])
    assert stage.runtime.settings.audit_keys() == key
    assert tmp_path / "machine" / "audit.key" in report.placed


@on_sqlite
def test_a_later_journal_of_seals_is_kept_as_evidence_and_sealing_goes_on(
    stage: Stage, tmp_path: Path, new_database: str
) -> None:
    from service.seal import seal  # noqa: PLC0415

    for _ in range(2):
        stage.file()
        stage.run()
        seal(stage.runtime)
        if not (tmp_path / "backup").exists():
            back_up(stage.runtime, tmp_path / "backup")
    later = stage.runtime.settings.seal_journal.read_bytes()
    put_back(stage, tmp_path / "backup", new_database)
    journal = stage.runtime.settings.seal_journal
    assert journal.with_name("seals.jsonl.before-restore-1").read_bytes() == later
    assert seal(stage.runtime).lines > 0


# --- what is refused --------------------------------------------------------------------------


@on_sqlite
def test_nothing_is_overwritten(stage: Stage, tmp_path: Path) -> None:
    stage.file()
    stage.run()
    back_up(stage.runtime, tmp_path / "backup")
    with pytest.raises(BackupError, match="is not empty"):
        back_up(stage.runtime, tmp_path / "backup")
    with pytest.raises(CopyError, match="the database is not empty"):
        restore(stage.runtime, tmp_path / "backup", [])


@on_sqlite
def test_a_changed_missing_or_unfinished_backup_is_refused(
    stage: Stage, tmp_path: Path, new_database: str
) -> None:
    whole = tmp_path / "whole"
    manifest = back_up(stage.runtime, whole)
    for case in ("changed", "missing", "unfinished"):
        folder = tmp_path / case
        shutil.copytree(whole, folder)
        (folder / "config" / "units.yaml").write_text("units: []\n")
        if case == "missing":
            (folder / "config" / "units.yaml").unlink()
        if case == "unfinished":
            (folder / MANIFEST).unlink()
        with pytest.raises(BackupError, match=r"was changed|is missing"):
            put_back(stage, folder, new_database)
    verify_files(whole, manifest)


@on_sqlite
def test_a_path_out_of_the_backup_is_refused(stage: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    back_up(stage.runtime, folder)
    content = json.loads((folder / MANIFEST).read_text())
    content["files"][0]["path"] = "../elsewhere"
    (tmp_path / "elsewhere").write_text("x")
    (folder / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(BackupError, match="is missing"):
        verify_files(folder, read_manifest(folder))


def test_a_backup_under_other_audit_keys_is_refused_before_anything_is_loaded(
    stage: Stage, tmp_path: Path, new_database: str
) -> None:
    back_up(stage.runtime, tmp_path / "backup")
    (stage.runtime.settings.var_dir / "audit.key").unlink()
    reconfigure(stage, database_url=new_database)
    stage.runtime.settings.audit_keys()  # another one is made
    with pytest.raises(BackupError, match="1 audit keys of the backup are not in"):
        restore(stage.runtime, tmp_path / "backup", [])
    if stage.runtime.database.dialect == "sqlite":
        assert not Path(make_url(new_database).database or "").exists()


@on_sqlite
def test_a_later_schema_is_refused(stage: Stage, tmp_path: Path, new_database: str) -> None:
    folder = tmp_path / "backup"
    back_up(stage.runtime, folder)
    content = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**content, "schema": "9999"}))
    with pytest.raises(BackupError, match="made by a later program"):
        put_back(stage, folder, new_database)


# --- what was sent meanwhile ------------------------------------------------------------------


def test_what_was_sent_after_the_backup_is_not_sent_again(
    stage: Stage, tmp_path: Path, new_database: str, sent_log: Path
) -> None:
    known = stage.file()
    back_up(stage.runtime, tmp_path / "backup")
    stage.wait(minutes=1)
    later = stage.file(OTHER_FORM)
    stage.run()
    assert len(stage.mails()) == 2
    stage.wait(minutes=4)
    report = put_back(stage, tmp_path / "backup", new_database, sent_log)
    assert report.forward.awaited == 2
    stage.run()
    assert len(stage.mails()) == 2
    assert stage.told(known)[0][0] == stage.told(later)[0][0] == "filed"
    with stage.runtime.database.read() as connection:
        assert not restored_sends.exist(connection)


@on_sqlite
def test_control_without_the_log_everything_is_sent_again(
    stage: Stage, tmp_path: Path, new_database: str
) -> None:
    number = stage.file()
    back_up(stage.runtime, tmp_path / "backup")
    stage.run()
    shutil.rmtree(stage.outbox)
    put_back(stage, tmp_path / "backup", new_database)
    stage.run()
    assert stage.told(number) == [("filed", "UD075")]
    assert len(stage.mails()) == 1


def move(stage: Stage, number: int, department: str) -> None:
    """Let a dossier change its département in TPS, and the service see it."""
    stage.wait(minutes=30)
    stage.tps.change(number, department=department)
    stage.run()


@on_sqlite
@pytest.mark.parametrize("known", [True, False], ids=["known", "filed-since"])
@pytest.mark.parametrize(
    ("meanwhile", "afterwards", "told"),
    [
        (["93"], "93", []),
        (["93"], "75", [("reassigned-from", "UD093"), ("reassigned-to", "UD075")]),
        (["93"], "92", [("reassigned-from", "UD093"), ("reassigned-to", "UD092")]),
        (["93", "75"], "75", []),
        (["93", "75"], "93", [("reassigned-from", "UD075"), ("reassigned-to", "UD093")]),
        (["93", "92"], "92", []),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value)) or "nothing",
)
def test_offices_are_told_of_what_changed_since_they_were_told_and_of_nothing_else(
    stage: Stage,
    tmp_path: Path,
    new_database: str,
    sent_log: Path,
    known: bool,
    meanwhile: list[str],
    afterwards: str,
    told: list[tuple[str, str]],
) -> None:
    if not known:
        back_up(stage.runtime, tmp_path / "backup")
    number = stage.file(department="75")
    stage.run()
    if known:
        back_up(stage.runtime, tmp_path / "backup")
    for department in meanwhile:
        move(stage, number, department)
    before = sorted(stage.told(number))
    sent = len(stage.mails())
    stage.tps.change(number, department=afterwards)
    stage.wait(minutes=5)
    put_back(stage, tmp_path / "backup", new_database, sent_log)
    stage.run()
    new = sorted(stage.told(number))
    for each in before:
        new.remove(each)
    assert new == told
    assert len(stage.mails()) == sent + len(told)


@on_sqlite
def test_a_log_found_later_can_be_applied_before_workers_start(
    stage: Stage, tmp_path: Path, new_database: str, sent_log: Path
) -> None:
    back_up(stage.runtime, tmp_path / "backup")
    stage.file()
    stage.run()
    put_back(stage, tmp_path / "backup", new_database)
    manifest = read_manifest(tmp_path / "backup")
    for _ in range(2):
        forward, damaged = apply_sent_logs(stage.runtime, manifest, [sent_log])
    assert (forward.messages, forward.awaited, damaged) == (1, 1, 0)
    stage.run()
    assert len(stage.mails()) == 1


@on_sqlite
def test_a_sqlite_backup_is_a_whole_database(stage: Stage, tmp_path: Path) -> None:
    for _ in range(5):
        stage.file()
    stage.run()
    back_up(stage.runtime, tmp_path / "backup")
    copy = sqlite3.connect(tmp_path / "backup" / "database.sqlite3")
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert copy.execute("SELECT count(*) FROM dossiers").fetchone() == (5,)
    copy.close()
