"""The log of sent messages: whole lines on the disk, read back whatever a crash left."""

import os
import stat
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from store.audit.log import AuditKey
from store.sent_log import SentLog, SentLogReader
from tests.fixtures.harness import START

KEY = AuditKey(b"synthetic-key-of-32-bytes-length!")


@dataclass(frozen=True)
class Sent:
    procedure: int = 13760
    number: int = 1
    event: str = "filed"
    unit: str = "UD075"
    channel: str = "mail"
    assignment: int = 1


def numbers(path: Path, count: int = 40) -> list[int]:
    """The numbers of the dossiers in a file."""
    refs = {KEY.ref(13760, number): number for number in range(count)}
    return [refs[sent.dossier_ref] for sent in SentLogReader([path]).since(START)]


def test_what_is_written_is_read_from_an_instant_on(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "sent.jsonl"
    log = SentLog(path, KEY)
    log.append([Sent(number=1), Sent(number=2)], START - timedelta(seconds=1))
    log.append([Sent(number=3, event="reassigned-from", assignment=4)], START)
    (only,) = SentLogReader([path]).since(START)
    assert (only.dossier_ref, only.key_id) == (KEY.ref(13760, 3), KEY.id)
    assert (only.event, only.unit, only.channel, only.assignment) == (
        *("reassigned-from", "UD075", "mail"),
        4,
    )
    assert only.at == START


def test_it_names_no_dossier_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "sent.jsonl"
    SentLog(path, KEY).append([Sent(number=1234567)], START)
    assert b"1234567" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_that_a_crash_cut_off_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "sent.jsonl"
    log = SentLog(path, KEY)
    log.append([Sent(number=1), Sent(number=2)], START)
    os.truncate(path, path.stat().st_size - 20)
    log.append([Sent(number=3)], START)
    reader = SentLogReader([path])
    assert numbers(path) == [1, 3]
    assert (len(list(reader.since(START))), reader.damaged) == (2, 1)


@pytest.mark.parametrize(
    "line", [b"{}", b"[]", b"null", b"\xff", b'{"v":2}', b"x" * 10_000, b'{"v":1,"at":"x"}']
)
def test_what_is_no_line_of_ours_is_counted_and_left_out(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "sent.jsonl"
    path.write_bytes(line)
    SentLog(path, KEY).append([Sent(number=5)], START)
    reader = SentLogReader([path])
    assert len(list(reader.since(START))) == 1
    assert reader.damaged >= 1


def test_lines_with_a_field_of_another_type_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "sent.jsonl"
    SentLog(path, KEY).append([Sent()], START)
    content = orjson.loads(path.read_bytes())
    path.write_bytes(orjson.dumps({**content, "assignment": "1"}))
    assert list(SentLogReader([path]).since(START)) == []


def test_several_writers_never_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "sent.jsonl"

    def write(first: int) -> None:
        for number in range(first, first + 10, 2):
            SentLog(path, KEY).append([Sent(number=number), Sent(number=number + 1)], START)

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 10, 20, 30)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(numbers(path)) == list(range(40))


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "sent.jsonl").mkdir()
    with pytest.raises(OSError, match="directory"):
        SentLog(tmp_path / "sent.jsonl", KEY).append([Sent()], START)
