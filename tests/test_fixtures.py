"""The ground that the tests stand on holds."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import create_engine, text

from config import settings
from store.engine import Database
from store.schema import is_current
from tests.fixtures_postgres import PostgresServer, Stop
from tests.fixtures_redis import redis_server

ROOT = Path(__file__).resolve().parent.parent


def test_a_redis_server_comes_back_on_its_port_with_what_it_kept() -> None:
    with redis_server(append_only=True) as server, redis.Redis.from_url(server.url) as client:
        client.set("key", "kept")
        server.stop()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        server.start()
        assert client.get("key") == b"kept"


def test_the_shared_redis_server_answers(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()


@pytest.mark.parametrize("mode", list(Stop))
def test_a_postgres_server_keeps_what_was_committed(mode: Stop) -> None:
    with PostgresServer() as server:
        dsn = server.url().replace("+psycopg", "")
        with psycopg.connect(dsn) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        server.restart(mode)
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_database_is_empty_and_writable_on_each_engine(
    empty_database_url: str, engine_name: str
) -> None:
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE mine (one INTEGER)"))
    engine.dispose()
    assert engine.dialect.name.startswith(engine_name)


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_test_gets_a_migrated_database_of_its_own(database_url: str, turn: str) -> None:
    database = Database(database_url)
    assert is_current(database)
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE mine (one INTEGER)"))
    database.close()


KILLED = """
import sys, time
from config import settings
from store.engine import Database
from store.schema import is_current
from tests.fixtures_postgres import PostgresServer
from tests.fixtures_redis import redis_server
with PostgresServer() as postgres, redis_server() as redis:
    folders = [postgres.log.parent, postgres.data.parent, redis.log.parent]
    print(postgres.port, redis.port, *folders, flush=True)
    time.sleep(600)
"""


def test_a_killed_run_leaves_no_server_and_no_folder() -> None:
    run = subprocess.Popen([sys.executable, "-c", KILLED], cwd=ROOT, stdout=subprocess.PIPE)
    assert run.stdout is not None
    *ports, binaries, data, cache = run.stdout.readline().decode().split()
    folders = [Path(binaries), Path(data), Path(cache)]
    assert all(folder.exists() for folder in folders)
    run.kill()
    run.wait()
    run.stdout.close()
    until = time.monotonic() + 20
    while any(folder.exists() for folder in folders):
        assert time.monotonic() < until
        time.sleep(0.05)
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(port))) != 0


def test_nothing_but_loopback_is_reached() -> None:
    with pytest.raises(ConnectionRefusedError), socket.socket() as probe:
        probe.connect(("192.0.2.1", 25))
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("tps.example", 443)


def test_settings_of_the_machine_do_not_reach_a_test() -> None:
    assert [name for name in os.environ if name.startswith("WIF_")] == [settings.DOTENV]
    assert os.environ[settings.DOTENV] == os.devnull


def test_temporary_files_stay_in_the_checkout(tmp_path: Path) -> None:
    assert tmp_path.is_relative_to(ROOT)
