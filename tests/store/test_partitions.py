"""The audit log gets partitions by month while lines are written; nothing of it is lost or bent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from store import partitions, schema
from store.audit.check import verify
from store.audit.lines import read_all
from store.audit.seal_keys import SigningKey
from store.database_copy import dump, load
from store.engine import Database
from store.grants import grant
from store.partitions import PartitionError, is_partitioned, months_ahead, partition
from tests.fixtures.postgres import PACKAGE, Databases
from tests.fixtures.processes import wif
from tests.store.audit.samples import LOG, START, lines, seal, write

NOW = datetime(2026, 3, 10, tzinfo=UTC)
MONTHS = (START, START + timedelta(days=31), START + timedelta(days=60))


@pytest.fixture
def engine_name() -> str:
    return "postgres"


in_small_batches = partial(partition, batch=50)


def fill(database: Database, key: SigningKey) -> None:
    """Three months of lines under seals, and some that are not sealed yet."""
    for month in MONTHS:
        write(database, 200, at=month)
        seal(database, key)
    write(database, 30, at=MONTHS[-1] + timedelta(hours=1))


def names(database: Database) -> list[str]:
    with database.read() as connection:
        return partitions._partitions(connection)


def in_each(database: Database) -> dict[str, int]:
    with database.read() as connection:
        query = "SELECT tableoid::regclass::text, count(*) FROM audit_lines GROUP BY 1"
        return {row[0]: row[1] for row in connection.execute(text(query))}


def is_intact(database: Database, key: SigningKey) -> bool:
    found = verify(database, trusted=frozenset({key.public}))
    return found.intact


@contextmanager
def writers(database_url: str) -> Iterator[list[int]]:
    """Transactions that write go on in four threads; gives how many lines each has committed."""
    stop, written, failed = threading.Event(), [0] * 4, []

    def go_on(place: int) -> None:
        own = Database(database_url)
        try:
            while not stop.is_set():
                with own.begin() as connection:
                    LOG.append(connection, NOW, lines(3))
                written[place] += 3
        except Exception as error:  # noqa: BLE001 - shown by the test
            failed.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=go_on, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield written
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failed == []


def test_lines_are_the_same_and_intact_before_and_after(
    database: Database, key: SigningKey
) -> None:
    fill(database, key)
    before = list(read_all(database))
    assert is_intact(database, key)

    done = in_small_batches(database, NOW)

    assert is_partitioned(database)
    assert done.copied == 630
    assert list(read_all(database)) == before
    assert is_intact(database, key)
    assert in_each(database) == {
        "audit_lines_2026_01": 200,
        "audit_lines_2026_02": 200,
        "audit_lines_2026_03": 230,
    }
    assert months_ahead(database, NOW) == partitions.AHEAD + 1


def test_lines_that_are_written_meanwhile_are_all_there(
    database: Database, database_url: str, key: SigningKey
) -> None:
    fill(database, key)
    with writers(database_url) as written:
        in_small_batches(database, NOW)
        with database.begin() as connection:
            LOG.append(connection, NOW, lines(3))
        seal(database, key)
    assert sum(written) > 0
    assert len(list(read_all(database))) == 630 + sum(written) + 3
    seal(database, key)
    assert is_intact(database, key)
    with database.read() as connection:
        sequence = connection.scalar(text("SELECT pg_get_serial_sequence('audit_lines', 'id')"))
        assert sequence == "public.audit_lines_id_seq"


@pytest.mark.parametrize("at", [1, 5, 11])
def test_a_run_that_was_cut_off_goes_on_where_it_stopped(
    database: Database, key: SigningKey, at: int
) -> None:
    fill(database, key)
    seen: list[tuple[str, int]] = []

    def cut_off(what: str, done: int, _total: int) -> None:
        seen.append((what, done))
        if len(seen) == at:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        in_small_batches(database, NOW, progress=cut_off)
    assert not is_partitioned(database)
    write(database, 20, at=MONTHS[-1])
    done = in_small_batches(database, NOW)
    assert done.copied == 650 - 50 * at
    assert is_intact(database, key)


def test_two_runs_at_once_are_one(database: Database, database_url: str, key: SigningKey) -> None:
    fill(database, key)
    other = Database(database_url)
    threads = [threading.Thread(target=partition, args=(each, NOW)) for each in (database, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert len(list(read_all(database))) == 630
    assert is_intact(database, key)


def test_a_copy_that_differs_is_refused_and_changes_nothing(
    database: Database, key: SigningKey
) -> None:
    fill(database, key)

    def bend(what: str, done: int, _total: int) -> None:
        if what == "copy" and done == 600:
            with database.begin() as connection:
                connection.execute(text("ALTER TABLE audit_lines_by_month DISABLE TRIGGER ALL"))
                connection.execute(text("DELETE FROM audit_lines_by_month WHERE id = 7"))

    with pytest.raises(PartitionError, match="the copy differs between the lines 1 and 501"):
        in_small_batches(database, NOW, progress=bend)
    assert not is_partitioned(database)
    assert is_intact(database, key)


FORBIDDEN = (
    "UPDATE audit_lines SET step = 'sent'",
    "DELETE FROM audit_lines",
    "TRUNCATE audit_lines",
    "UPDATE audit_lines_2026_01 SET step = 'sent'",
    "DELETE FROM audit_lines_2026_01",
    "TRUNCATE audit_lines_2026_01",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_partitions_are_append_only(database: Database, key: SigningKey, statement: str) -> None:
    fill(database, key)
    partition(database, NOW)
    with pytest.raises(DBAPIError, match="is append-only"), database.begin() as connection:
        connection.execute(text(statement))


def test_what_was_changed_all_the_same_is_found(database: Database, key: SigningKey) -> None:
    fill(database, key)
    partition(database, NOW)
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE audit_lines DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE audit_lines SET unit = 'UD093' WHERE id = 3"))
    assert not is_intact(database, key)


def test_a_second_run_makes_months_to_come_and_loses_no_line(
    database: Database, key: SigningKey
) -> None:
    fill(database, key)
    first = partition(database, NOW)
    assert partition(database, NOW) == partitions.Partitioned(0, first.partitions, first.until)

    later = NOW + timedelta(days=365)
    assert partition(database, later).partitions == first.partitions + 12

    # Nobody ran it for years: lines went into the last partition, which then is that of months.
    forgotten = later + timedelta(days=365 * 3)
    write(database, 40, at=forgotten)
    assert in_each(database)["audit_lines_from_2029_04"] == 40
    assert months_ahead(database, forgotten) is not None
    assert (months_ahead(database, forgotten) or 0) < partitions.SOON
    done = partition(database, forgotten)
    assert in_each(database)["audit_lines_2029_04"] == 40
    assert done.until > forgotten.date() + timedelta(days=700)
    write(database, 10, at=forgotten + timedelta(days=40))
    seal(database, key)
    assert is_intact(database, key)


def test_later_migrations_find_the_table_that_they_know(
    database: Database, key: SigningKey
) -> None:
    fill(database, key)
    partition(database, NOW)
    schema.upgrade(database)
    assert schema.is_current(database)
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE audit_lines ADD COLUMN more integer"))
        connection.execute(text("CREATE INDEX ix_more ON audit_lines (more)"))
        connection.execute(text("DROP INDEX ix_audit_lines_at"))
    assert is_intact(database, key)


def test_a_schema_that_moved_on_under_a_copy_begins_it_anew(
    database: Database, key: SigningKey
) -> None:
    fill(database, key)

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        in_small_batches(database, NOW, progress=cut_off)
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE audit_lines ADD COLUMN more integer"))
    assert in_small_batches(database, NOW).copied == 630


def test_the_service_s_own_role_works_with_it(
    database: Database,
    key: SigningKey,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(database, key)
    role = "wif_partitions_test"
    with database.begin() as connection:
        _make_role(connection, role)
        grant(connection, role)
    partition(database, NOW, role=role)
    with database.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {role}"))
        LOG.append(connection, NOW, lines(3))
        assert connection.scalar(text("SELECT count(*) FROM audit_lines")) == 633
    _with_programs(monkeypatch)
    own = Database(database.url.set(username=role).render_as_string(hide_password=False))
    seal(own, key)
    dump(own, tmp_path / "dump", lambda *_: None)
    own.close()


def _make_role(connection: Connection, role: str) -> None:
    with suppress(DBAPIError), connection.begin_nested():
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))


def _with_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = max(PACKAGE.glob("pginstall*"), key=lambda folder: folder.name)
    monkeypatch.setenv("PATH", f"{newest / 'bin'}:/usr/bin:/bin")


def test_it_is_backed_up_and_restored(
    database: Database,
    key: SigningKey,
    tmp_path: Path,
    postgres_databases: Databases,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _with_programs(monkeypatch)
    fill(database, key)
    partition(database, NOW)
    dump(database, tmp_path / "dump", lambda *_: None)
    url = postgres_databases.create()
    restored = Database(url)
    load(restored, tmp_path / "dump", lambda *_: None)
    assert list(read_all(restored)) == list(read_all(database))
    assert is_partitioned(restored)
    assert is_intact(restored, key)
    assert partition(restored, NOW).copied == 0
    restored.close()
    postgres_databases.drop(url)


def test_the_command_says_what_it_did_and_doctor_when_to_run_it_again(
    database: Database, database_url: str, key: SigningKey, tmp_path: Path
) -> None:
    fill(database, key)
    settings = {"WIF_DATABASE_URL": database_url, "WIF_VAR_DIR": str(tmp_path)}
    assert "the audit log is in one table" in wif("doctor", "--json", **settings).stdout
    done = wif("db", "partition", "--json", **settings)
    assert done.returncode == 0, done.stderr
    assert '"copied": 631' in done.stdout  # `wif doctor` has left a line, too
    assert "months to come" in wif("doctor", "--json", **settings).stdout
    assert "0 lines were moved" in wif("db", "partition", **settings).stdout


def test_sqlite_is_refused_in_one_line(tmp_path: Path) -> None:
    settings = {"WIF_VAR_DIR": str(tmp_path)}
    wif("status", **settings)
    refused = wif("db", "partition", **settings)
    assert refused.returncode == 2
    assert refused.stderr == "only PostgreSQL has partitions; SQLite needs none\n"
