"""Sealing: what is final goes under signed, chained seals, and writers never notice."""

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DatabaseError

from store.audit import seals
from store.audit.check import verify
from store.audit.lines import COLUMNS, leaves, read_all, read_page
from store.audit.log import AuditEntry, Step
from store.audit.seal_keys import SigningKey, rotate_signing_key, trusted_keys
from store.audit.seals import GENESIS, Seal, newest_seal, read_seals, seal_of, seal_pending
from store.engine import Database, Timing
from store.models import AuditLine, AuditSeal
from tests.store.audit.samples import LOG, START, seal, signing_key, write


def test_the_canonical_form_holds_every_column_of_a_line() -> None:
    assert tuple(AuditLine.__table__.c.keys()) == COLUMNS


def test_an_empty_log_needs_no_seal(database: Database, key: SigningKey) -> None:
    report = seal(database, key)
    assert (report.lines, report.seals, report.head) == (0, 0, None)
    assert list(read_seals(database)) == []


def test_lines_are_sealed_in_batches_that_form_a_chain(database: Database, key: SigningKey) -> None:
    write(database, 25)
    report = seal(database, key, batch=10)
    seals = list(read_seals(database, leaf_hashes=True))
    assert (report.lines, report.seals) == (25, 3)
    assert [(one.number, one.ids, one.size) for one in seals] == [
        (1, "1-10", 10),
        (2, "11-20", 10),
        (3, "21-25", 5),
    ]
    assert [one.previous for one in seals] == [GENESIS, seals[0].hash, seals[1].hash]
    assert all(one.is_signed and one.public_key == key.public for one in seals)
    assert report.head is not None
    assert report.head.hash == seals[-1].hash


def test_the_next_run_goes_on_where_the_last_ended(database: Database, key: SigningKey) -> None:
    write(database, 5)
    seal(database, key)
    assert seal(database, key).seals == 0
    write(database, 3)
    assert seal(database, key).lines == 3
    assert [one.ids for one in read_seals(database)] == ["1-5", "6-8"]


def test_a_run_makes_no_more_seals_than_it_may(database: Database, key: SigningKey) -> None:
    write(database, 10)
    assert seal_pending(database, key, now=START, batch=2, most=3).lines == 6
    assert seal_pending(database, key, now=START, batch=2, most=3).lines == 4


def test_ids_that_were_never_committed_leave_gaps(database: Database, key: SigningKey) -> None:
    write(database, 3)
    if database.dialect == "postgresql":
        with database.engine.connect() as connection:
            LOG.append(connection, START, [AuditEntry(step=Step.SEEN)])
            connection.rollback()
    else:
        with database.begin() as connection:
            connection.execute(insert(AuditLine), [{"id": 4, "at": START, "step": "seen"}])
    write(database, 2)
    seal(database, key)
    expected = {"postgresql": "1-3,5-6", "sqlite": "1-6"}
    assert [one.ids for one in read_seals(database)] == [expected[database.dialect]]
    assert verify(database).intact


def test_the_root_is_over_the_same_bytes_on_both_engines(
    database: Database, key: SigningKey
) -> None:
    at = datetime(2026, 3, 29, 3, 30, 0, 12, tzinfo=timezone(timedelta(hours=2)))
    with database.begin() as connection:
        values = {"at": at, "step": "sent", "unit": "", "reason": 'é\n"\\\x01', "attempt": 1}
        connection.execute(insert(AuditLine), [values])
    row = [2, 1, "2026-03-29 01:30:00.000012", "sent", *[None] * 5, "", None, None, 'é\n"\\\x01']
    text_ = json.dumps([*row, 1, None, None], separators=(",", ":"), ensure_ascii=False)
    seal(database, key)
    (made,) = read_seals(database)
    assert made.root == hashlib.sha256(b"\0" + text_.encode()).hexdigest()


@pytest.mark.parametrize("filled", [False, True])
def test_seals_of_the_first_format_hold_for_what_they_knew(
    database: Database, key: SigningKey, monkeypatch: pytest.MonkeyPatch, *, filled: bool
) -> None:
    with database.begin() as connection:
        actor = "admin" if filled else None
        connection.execute(insert(AuditLine), [{"at": START, "step": "sent", "actor": actor}])
    monkeypatch.setattr(seals, "FORMAT", 1)
    monkeypatch.setattr(seals, "leaves", lambda rows, _: leaves([row[:14] for row in rows], 1))
    seal(database, key)
    verified = verify(database, trusted=frozenset({key.public}))
    assert verified.intact is not filled


def test_null_and_empty_are_not_the_same(database: Database) -> None:
    with database.begin() as connection:
        for unit in (None, ""):
            connection.execute(insert(AuditLine), [{"at": START, "step": "sent", "unit": unit}])
    null, empty = ((1, *row[1:]) for row in read_page(database, after=None))
    assert leaves([null]) != leaves([empty])


def test_the_seal_of_a_line_is_found(database: Database, key: SigningKey) -> None:
    write(database, 25)
    seal(database, key, batch=10)
    with database.read() as connection:
        found = [seal_of(connection, line) for line in (1, 10, 11, 25, 26)]
        newest = newest_seal(connection)
    assert [one and one.number for one in found] == [1, 1, 2, 3, None]
    assert newest is not None
    assert (newest.number, newest.leaves) == (3, b"")


def test_pages_of_seals_and_of_lines_join(database: Database, key: SigningKey) -> None:
    write(database, 70)
    seal(database, key, batch=2)
    assert [one.number for one in read_seals(database)] == list(range(1, 36))
    assert [row[0] for row in read_all(database)] == list(range(1, 71))
    assert verify(database).lines == 70


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_seals SET size = 1", "DELETE FROM audit_seals"]
)
def test_the_database_refuses_to_change_a_seal(
    database: Database, key: SigningKey, statement: str
) -> None:
    write(database, 1)
    seal(database, key)
    with pytest.raises(DatabaseError, match="append-only"), database.begin() as connection:
        connection.execute(text(statement))


def test_the_database_refuses_to_replace_all_seals(database: Database, key: SigningKey) -> None:
    write(database, 1)
    seal(database, key)
    statement = {
        "postgresql": "TRUNCATE audit_seals",
        "sqlite": "INSERT OR REPLACE INTO audit_seals SELECT * FROM audit_seals",
    }[database.dialect]
    with pytest.raises(DatabaseError, match="append-only"), database.begin() as connection:
        connection.execute(text(statement))


def test_after_a_rotation_the_chain_goes_on_under_the_new_key(
    database: Database, tmp_path: Path
) -> None:
    old = signing_key(tmp_path)
    write(database, 3)
    seal(database, old)
    new = rotate_signing_key(tmp_path / "seal.key")
    write(database, 3)
    seal(database, new)
    result = verify(database, trusted=trusted_keys(tmp_path / "seal.key"))
    assert result.intact
    assert result.keys == {old.public, new.public}


def test_sealers_at_the_same_time_make_one_chain(database: Database, key: SigningKey) -> None:
    write(database, 200)
    barrier = threading.Barrier(4)
    sealed: list[int] = []

    def work() -> None:
        barrier.wait()
        sealed.append(seal(database, key, batch=10).lines)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seal(database, key, batch=10)
    result = verify(database, trusted=frozenset({key.public}))
    assert (result.lines, result.intact, result.tail.size) == (200, True, 0)


@dataclass
class SlowKey:
    """A key that signs once something has happened."""

    key: SigningKey
    meanwhile: Callable[[], object]

    @property
    def public(self) -> str:
        return self.key.public

    def sign(self, message: bytes) -> str:
        self.meanwhile()
        return self.key.sign(message)


def test_a_sealer_that_was_overtaken_leaves_the_rest_to_the_other(
    database: Database, key: SigningKey
) -> None:
    write(database, 20)
    slow = SlowKey(key, lambda: seal(database, key, batch=10))
    assert seal(database, slow, batch=10).overtaken
    assert [one.ids for one in read_seals(database)] == ["1-10", "11-20"]


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=False)
class TestWritersInFlight:
    """On PostgreSQL ids are given out before they are committed, and commit in any order."""

    def test_a_line_that_commits_late_is_not_passed_over(
        self, database: Database, key: SigningKey, engine_name: str
    ) -> None:
        with database.engine.connect() as late:
            _append(late)
            write(database, 1)
            waiting = seal_pending(database, key, now=START, patience=50)
            assert waiting.waiting
            assert list(read_seals(database)) == []
            late.commit()
        assert seal(database, key).lines == 2
        assert [one.ids for one in read_seals(database)] == ["1-2"]
        assert verify(database).intact

    def test_a_sealer_that_only_looked_at_what_is_there_would_lose_it(
        self, database: Database, key: SigningKey, engine_name: str
    ) -> None:
        """The control: without the lock the late line turns up below a seal."""
        with database.engine.connect() as late:
            _append(late)
            write(database, 1)
            rows = read_page(database, after=None)
            made = Seal.make(key, rows, number=1, previous=GENESIS, at=START)
            with database.begin() as connection:
                stored = {**made.stated, "sealed_at": START, "signature": made.signature}
                connection.execute(insert(AuditSeal), [{**stored, "leaves": made.leaves}])
            late.commit()
        assert [str(one) for one in verify(database).findings] == ["seal 1: line-inserted 1"]

    def test_writers_go_on_while_seals_are_made(
        self, database: Database, key: SigningKey, engine_name: str
    ) -> None:
        """The lock is held while an id is read, not while lines are hashed and signed."""
        write(database, 10)
        slow = SlowKey(key, lambda: write(database, 1))
        assert seal(database, slow, batch=5).lines == 10
        assert seal(database, key).lines == 2


def _append(connection: Connection) -> None:
    LOG.append(connection, datetime(2026, 1, 1, tzinfo=UTC), [AuditEntry(step=Step.SEEN)])


def test_a_busy_sqlite_makes_the_sealer_come_back_later(
    tmp_path: Path, migrated_sqlite: Path, key: SigningKey
) -> None:
    path = tmp_path / "busy.sqlite3"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{path}", timing=Timing(busy=0.05))
    with database.begin() as connection:
        connection.execute(select(1))
        assert seal(database, key).waiting
    assert not seal(database, key).waiting


def test_a_seal_that_states_nonsense_names_no_lines(database: Database, key: SigningKey) -> None:
    write(database, 3)
    seal(database, key)
    (made,) = read_seals(database)
    for wrong in ({"ids": "1-2"}, {"first_id": 2}, {"ids": "3-1"}, {"ids": "01-3"}, {"ids": ""}):
        with pytest.raises(ValueError, match=r".+"):
            replace(made, **wrong).line_ids()
