"""A database that cannot be used: one line that says what is wrong and what to do, no password."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cli.database_error import warn
from config.settings import read
from store import schema
from store.engine import Database
from tests.fixtures.orphans import free_port
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.processes import wif

PASSWORD = "correct-horse-battery"  # pragma: allowlist secret
ROLES = f"""
    CREATE ROLE owner LOGIN PASSWORD '{PASSWORD}';
    CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}';
    CREATE ROLE sleeper NOLOGIN PASSWORD '{PASSWORD}';
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """PostgreSQL that asks for passwords, with the databases `wif`, `locked` and `bare`."""
    with PostgresServer() as made:
        url = made.url().replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(ROLES)
            for name in ("wif", "locked", "bare"):
                connection.execute(f"CREATE DATABASE {name} OWNER owner")
            connection.execute("REVOKE CONNECT ON DATABASE locked FROM PUBLIC")
            lines = (
                "host all postgres 127.0.0.1/32 trust",
                "host bare owner 127.0.0.1/32 reject",
                "host all lost 127.0.0.1/32 trust",
                "host all sleeper 127.0.0.1/32 trust",
                "host wif,locked,nowhere all 127.0.0.1/32 scram-sha-256",
            )
            (made.data / "pg_hba.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
            connection.execute("SELECT pg_reload_conf()")
        database = Database(made.url("wif"))
        schema.upgrade(database)
        database.close()
        yield made


def said(folder: Path, url: str, *command: str) -> str:
    """What a command says on standard error with a database."""
    ran = wif(
        *(command or ("status",)), WIF_DATABASE_URL=url, WIF_VAR_DIR=str(folder), WIF_LANG="en"
    )
    assert ran.returncode in {1, 2}, ran
    assert PASSWORD not in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    (line,) = ran.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("role", "database", "expected"),
    [
        (f"owner:not-{PASSWORD}", "wif", "refuses the role or its password"),
        (f"owner:{PASSWORD}", "nowhere", "has no database of that name"),
        (f"lost:{PASSWORD}", "wif", "no such role, or it may not log in"),
        (f"sleeper:{PASSWORD}", "wif", "no such role, or it may not log in"),
        (f"reader:{PASSWORD}", "locked", "the role may not do that"),
        (f"reader:{PASSWORD}", "wif", "the role may not do that"),
        (f"owner:{PASSWORD}", "bare", "pg_hba.conf"),
    ],
    ids=["password", "database", "role", "nologin", "connect", "tables", "hba"],
)
@pytest.mark.parametrize("command", ["status", "db upgrade"])
def test_what_is_wrong_with_postgresql_is_said_in_one_line(
    server: PostgresServer, tmp_path: Path, role: str, database: str, expected: str, command: str
) -> None:
    url = f"postgresql://{role}@127.0.0.1:{server.port}/{database}"
    assert expected in said(tmp_path, url, *command.split())


def test_nobody_at_the_address_and_a_file_that_is_no_database(tmp_path: Path) -> None:
    nobody = f"postgresql://owner:{PASSWORD}@127.0.0.1:{free_port()}/wif"
    assert "does not answer" in said(tmp_path, nobody)
    (tmp_path / "notes").write_text("no database " * 1000, encoding="utf-8")
    assert "is no database" in said(tmp_path, f"sqlite:///{tmp_path / 'notes'}")


def test_a_service_says_what_is_wrong_and_waits(
    server: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    warn(read(database_url=wrong_password(server)))
    assert "password" in capsys.readouterr().err
    warn(read(database_url=server.url("bare")))
    assert "run `wif db upgrade`" in capsys.readouterr().err
    warn(read(database_url=server.url("wif")))
    assert capsys.readouterr().err == ""


def wrong_password(server: PostgresServer) -> str:
    return (
        f"postgresql+psycopg://owner:wrong@127.0.0.1:{server.port}/wif"  # pragma: allowlist secret
    )
