"""Connections that outlive what happened to the server meanwhile, and cost little while busy."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from store.engine import Database, Timing
from tests.fixtures.postgres import Databases, PostgresServer

ONE = text("SELECT 1")


def ask(database: Database) -> int:
    with database.begin() as connection:
        return int(connection.execute(ONE).scalar_one())


def test_a_autocommit_read_reads_what_was_committed(database_url: str) -> None:
    database = Database(database_url)
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE glanced (at integer)"))
        connection.execute(text("INSERT INTO glanced VALUES (7)"))
    with database.autocommit_read() as connection:
        assert connection.execute(text("SELECT at FROM glanced")).scalar_one() == 7
    with database.begin() as connection:
        assert connection.execute(text("SELECT at FROM glanced")).scalar_one() == 7
    database.close()


def test_a_connection_that_rested_is_replaced_when_its_server_was_restarted() -> None:
    with PostgresServer() as server:
        rested = Database(server.url(), timing=Timing(rest=0))
        database = Database(server.url(), timing=Timing(rest=60))
        assert ask(rested) == ask(database) == 1

        server.restart()
        assert ask(rested) == 1
        rested.close()
        with pytest.raises(OperationalError):
            ask(database)
        assert ask(database) == 1
        server.restart()
        assert database.run(lambda connection: connection.execute(ONE).scalar_one()) == 1
        database.close()


def test_an_answer_of_postgresql_that_is_late_ends_the_statement_and_the_next_one_works(
    postgres_databases: Databases,
) -> None:
    url = postgres_databases.create()
    database = Database(url, timing=Timing(answer=0.2))
    with pytest.raises(OperationalError) as late, database.begin() as connection:
        connection.execute(text("SELECT pg_sleep(2)"))
    assert late.value.connection_invalidated
    assert ask(database) == 1
    database.close()
    postgres_databases.drop(url)
