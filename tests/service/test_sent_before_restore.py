"""After a restore offices are told of what they were not told before, and of nothing else."""

import json
import shutil
from pathlib import Path

import pytest

from service.backup import back_up, read_manifest
from service.publish_rules import publish
from service.reassign import reassign
from service.restore import apply_sent_logs
from store import restored_sends
from tests.fixtures import shipped_rules
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness
from tests.service.restored import put_back

pytestmark = pytest.mark.usefixtures("keeps_sent_log", "postgres_programs")

on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


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
