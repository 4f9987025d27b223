"""PostgreSQL behind PgBouncer with transaction pooling: nothing of ours outlives a transaction."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from store.database_copy import CopyError, dump
from store.engine import Database
from store.schema import is_current, upgrade
from tests.fixtures.pgbouncer import needs_pgbouncer, pgbouncer
from tests.fixtures.processes import wif

pytestmark = needs_pgbouncer
POOLED = "?pooling=transaction"


@pytest.fixture
def engine_name() -> str:
    return "postgres"


@pytest.fixture
def pooler(database_url: str) -> Iterator[str]:
    with pgbouncer(database_url) as address:
        yield address


def work(database: Database, times: int = 12) -> list[str]:
    """The same statement again and again, which a driver would prepare, and the time zones."""
    zones = []
    for number in range(times):
        with database.begin() as connection:
            query = text("SELECT CAST(:n AS integer) + 1, current_setting('TimeZone')")
            found, zone = connection.execute(query, {"n": number}).one()
            assert found == number + 1
            zones.append(zone)
    return zones


def test_many_connections_share_few_and_each_has_our_time_zone(pooler: str) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(8) as threads:
        databases = [Database(pooler + POOLED) for _ in range(8)]
        for database in databases:
            stack.callback(database.close)
        assert {zone for zones in threads.map(work, databases) for zone in zones} == {"UTC"}


def test_control_a_session_of_ours_is_refused_by_a_pooler(pooler: str) -> None:
    database = Database(pooler)
    with pytest.raises(DBAPIError, match="options"), database.read():
        pass
    database.close()


def test_control_prepared_statements_break(pooler: str) -> None:
    """What `prepare_threshold` keeps from happening: another connection has not prepared it."""
    plain = make_url(pooler).set(drivername="postgresql").render_as_string(hide_password=False)
    with ExitStack() as stack:
        connections = [stack.enter_context(psycopg.connect(plain)) for _ in range(6)]
        with pytest.raises(psycopg.Error, match="prepared statement"):
            prepare_in_turn(connections)


def prepare_in_turn(connections: list[psycopg.Connection[Any]]) -> None:
    for _ in range(10):
        for connection in connections:
            connection.execute("SELECT %s::int + 1", [1], prepare=True)
            connection.commit()


def test_migrations_go_through_a_pooler(
    empty_database_url: str,
) -> None:
    with pgbouncer(empty_database_url) as address:
        database = Database(address + POOLED)
        upgrade(database)
        assert is_current(database)
        database.close()


def test_a_copy_through_a_pooler_is_refused_in_one_line(pooler: str, tmp_path: Path) -> None:
    database = Database(pooler + POOLED)
    with pytest.raises(CopyError, match="PostgreSQL itself"):
        dump(database, tmp_path / "dump", lambda *_: None)
    database.close()
    assert not (tmp_path / "dump").exists()


def test_doctor_asks_for_the_time_outs_that_a_pooler_does_not_pass_on(
    database_url: str, tmp_path: Path
) -> None:
    def said() -> str:
        with pgbouncer(database_url) as address:
            settings = {"WIF_DATABASE_URL": address + POOLED, "WIF_VAR_DIR": str(tmp_path)}
            return wif("doctor", "--json", **settings).stdout

    assert "missing statement_timeout" in said()
    database = Database(database_url)
    with database.begin() as connection:
        for each in ("statement_timeout", "idle_in_transaction_session_timeout"):
            name = make_url(database_url).database
            connection.execute(text(f"ALTER DATABASE {name} SET {each} = '60s'"))
    database.close()
    assert "with time-outs of its own" in said()


@pytest.mark.parametrize("value", ["session", ""])
def test_another_pooling_is_refused(value: str) -> None:
    refused = wif("status", WIF_DATABASE_URL=f"postgresql://wif@db.example/wif?pooling={value}x")
    assert refused.returncode == 2
    assert "WIF_DATABASE_URL" in refused.stderr
