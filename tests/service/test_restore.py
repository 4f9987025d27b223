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
from service.publish_rules import publish
from service.reassign import reassign
from service.restore import RestoreReport, apply_sent_logs, restore
from service.runtime import Runtime
from store import restored_sends
from store.audit.check import verify
from store.audit.seal_file import load_seals
from store.database_copy import CopyError
from tests.fixtures import shipped_rules
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness, WakeUpRecorder
from tests.fixtures.postgres import PACKAGE, Databases


@pytest.fixture(autouse=True)
def _postgres_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pg_dump` of the server's own version."""
    newest = max(PACKAGE.glob("pginstall*"), key=lambda folder: folder.name)
    monkeypatch.setenv("PATH", f"{newest / 'bin'}:/usr/bin:/bin")


@pytest.fixture
def sent_log(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "sent.jsonl"


@pytest.fixture
def harness(harness: Harness, sent_log: Path) -> Harness:
    """A harness whose service keeps a log of what it sent."""
    reconfigure(harness, sent_log=sent_log)
    return harness


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


def reconfigure(harness: Harness, **changes: Any) -> None:  # noqa: ANN401
    """Let the service of a harness go on with other settings, as a new process."""
    old = harness.runtime
    old.close()
    settings = read(**{**old.settings.model_dump(), **changes})
    harness.runtime = Runtime(settings, clock=old.clock, waker=WakeUpRecorder(), jitter=lambda: 0.0)


def put_back(harness: Harness, backup: Path, database: str, *sent_logs: Path) -> RestoreReport:
    """Restore into another database, and go on with that."""
    reconfigure(harness, database_url=database)
    return restore(harness.runtime, backup, sent_logs)


def mails(harness: Harness, number: int) -> list[str]:
    """The subjects of the mails about a dossier, in no order."""
    return sorted(
        str(mail["Subject"]) for mail in harness.mails() if str(number) in mail["Subject"]
    )


on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""What does not depend on the engine: `pg_dump` and `pg_restore` take a second each time."""


# --- what is in it ----------------------------------------------------------------------------


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


# --- what is refused --------------------------------------------------------------------------


@on_sqlite
def test_nothing_is_overwritten(harness: Harness, tmp_path: Path) -> None:
    harness.file()
    harness.run()
    back_up(harness.runtime, tmp_path / "backup")
    with pytest.raises(BackupError, match="is not empty"):
        back_up(harness.runtime, tmp_path / "backup")
    with pytest.raises(CopyError, match="the database is not empty"):
        restore(harness.runtime, tmp_path / "backup", [])


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


def test_a_backup_under_other_audit_keys_is_refused_before_anything_is_loaded(
    harness: Harness, tmp_path: Path, new_database: str
) -> None:
    back_up(harness.runtime, tmp_path / "backup")
    (harness.runtime.settings.var_dir / "audit.key").unlink()
    reconfigure(harness, database_url=new_database)
    harness.runtime.settings.audit_keys()  # another one is made
    with pytest.raises(BackupError, match="1 audit keys of the backup are not in"):
        restore(harness.runtime, tmp_path / "backup", [])
    if harness.runtime.database.dialect == "sqlite":
        assert not Path(make_url(new_database).database or "").exists()


@on_sqlite
def test_a_later_schema_is_refused(harness: Harness, tmp_path: Path, new_database: str) -> None:
    folder = tmp_path / "backup"
    back_up(harness.runtime, folder)
    content = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**content, "schema": "9999"}))
    with pytest.raises(BackupError, match="made by a later program"):
        put_back(harness, folder, new_database)


# --- what was sent meanwhile ------------------------------------------------------------------


def test_what_was_sent_after_the_backup_is_not_sent_again(
    harness: Harness, tmp_path: Path, new_database: str, sent_log: Path
) -> None:
    known = harness.file()
    back_up(harness.runtime, tmp_path / "backup")
    harness.wait(minutes=1)
    later = harness.file(OTHER_FORM)
    harness.run()
    assert len(harness.mails()) == 2
    harness.wait(minutes=4)
    report = put_back(harness, tmp_path / "backup", new_database, sent_log)
    assert report.forward.awaited == 2
    harness.run()
    assert len(harness.mails()) == 2
    assert harness.told(known)[0][0] == harness.told(later)[0][0] == "filed"
    with harness.runtime.database.read() as connection:
        assert not restored_sends.exist(connection)


@on_sqlite
def test_who_was_informed_after_the_backup_is_not_informed_again(
    harness: Harness, tmp_path: Path, new_database: str, sent_log: Path
) -> None:
    content = json.loads(shipped_rules.document())
    for rule in content["rules"]:
        rule["inform"] = ["UD093"]
    document = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    with harness.runtime.database.begin() as connection:
        publish(harness.runtime, connection, document, note="tests")
    known = harness.file()
    back_up(harness.runtime, tmp_path / "backup")
    harness.run()
    harness.wait(minutes=4)
    put_back(harness, tmp_path / "backup", new_database, sent_log)
    harness.run()
    reassign(harness.runtime, PARIS_FORM, known, unit="UD092", reason="moved")
    harness.run()
    assert sorted(harness.told(known)) == [
        ("filed", "UD075"),
        ("informed", "UD093"),
        ("reassigned-from", "UD075"),
        ("reassigned-to", "UD092"),
    ]


@on_sqlite
def test_control_without_the_log_everything_is_sent_again(
    harness: Harness, tmp_path: Path, new_database: str
) -> None:
    number = harness.file()
    back_up(harness.runtime, tmp_path / "backup")
    harness.run()
    shutil.rmtree(harness.outbox)
    put_back(harness, tmp_path / "backup", new_database)
    harness.run()
    assert harness.told(number) == [("filed", "UD075")]
    assert len(harness.mails()) == 1


def move(harness: Harness, number: int, department: str) -> None:
    """Let a dossier change its département in TPS, and the service see it."""
    harness.wait(minutes=30)
    harness.tps.change(number, department=department)
    harness.run()


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
    harness: Harness,
    tmp_path: Path,
    new_database: str,
    sent_log: Path,
    known: bool,
    meanwhile: list[str],
    afterwards: str,
    told: list[tuple[str, str]],
) -> None:
    if not known:
        back_up(harness.runtime, tmp_path / "backup")
    number = harness.file(department="75")
    harness.run()
    if known:
        back_up(harness.runtime, tmp_path / "backup")
    for department in meanwhile:
        move(harness, number, department)
    before = sorted(harness.told(number))
    sent = len(harness.mails())
    harness.tps.change(number, department=afterwards)
    harness.wait(minutes=5)
    put_back(harness, tmp_path / "backup", new_database, sent_log)
    harness.run()
    new = sorted(harness.told(number))
    for each in before:
        new.remove(each)
    assert new == told
    assert len(harness.mails()) == sent + len(told)


@on_sqlite
def test_a_log_found_later_can_be_applied_before_workers_start(
    harness: Harness, tmp_path: Path, new_database: str, sent_log: Path
) -> None:
    back_up(harness.runtime, tmp_path / "backup")
    harness.file()
    harness.run()
    put_back(harness, tmp_path / "backup", new_database)
    manifest = read_manifest(tmp_path / "backup")
    for _ in range(2):
        forward, damaged = apply_sent_logs(harness.runtime, manifest, [sent_log])
    assert (forward.messages, forward.awaited, damaged) == (1, 1, 0)
    harness.run()
    assert len(harness.mails()) == 1


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
