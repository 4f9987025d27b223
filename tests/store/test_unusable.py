"""What is wrong with a database is named where it is known, and only there."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from store import schema
from store.engine import Database
from store.unusable import Unusable, why
from tests.fixtures.orphans import free_port


def refusal(code: str, said: str) -> bytes:
    """How PostgreSQL refuses a connection."""
    fields = "".join(f"{name}{value}\0" for name, value in (("S", "FATAL"), ("C", code)))
    content = f"{fields}M{said}\0\0".encode()
    return b"E" + struct.pack("!i", len(content) + 4) + content


@contextmanager
def postgresql_that_answers(answer: bytes) -> Iterator[int]:
    """The port of a server that answers whoever logs in with that, and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with sock:
                    sock.recv(10_000)
                    sock.sendall(answer)

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    yield listener.getsockname()[1]
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    serving.join()


def found(url: str, statement: str = "SELECT 1") -> Unusable:
    """What is wrong when a statement is executed there."""
    database = Database(url)
    try:
        with pytest.raises(SQLAlchemyError) as caught, database.begin() as connection:
            connection.execute(text(statement))
    finally:
        database.close()
    return why(caught.value)


def at(port: int, host: str = "127.0.0.1") -> str:
    options = f"host={host}&port={port}&sslmode=disable&gssencmode=disable"
    return f"postgresql+psycopg://owner@/wif?{options}"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal("28P01", 'password authentication failed for user "owner"'), Unusable.PASSWORD),
        (
            refusal("28P01", "Passwort-Authentifizierung für Benutzer »owner« fehlgeschlagen"),
            Unusable.OTHER,
        ),
        (refusal("53300", "ya hay demasiados clientes"), Unusable.OTHER),
        (b"", Unusable.AWAY),
    ],
    ids=["english", "german", "spanish", "hangs up"],
)
def test_a_server_that_answers_is_not_away_whatever_its_language(
    answer: bytes, expected: Unusable
) -> None:
    with postgresql_that_answers(answer) as port:
        assert found(at(port)) is expected


def test_a_server_that_is_not_there_is_away() -> None:
    port = free_port()
    assert found(at(port)) is Unusable.AWAY
    # The path of a socket is short: that of a test's own folder may be longer than it can be.
    assert found(at(port, "/nowhere")) is Unusable.AWAY


def test_a_server_that_never_answers_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = at(silent.getsockname()[1]) + "&connect_timeout=2"
        assert found(url) is Unusable.AWAY


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT 1 FROM absent", Unusable.SCHEMA),
        ("SELECT absent FROM procedures", Unusable.SCHEMA),
        ("INSERT INTO procedures (absent) VALUES (1)", Unusable.SCHEMA),
        ("SELEC 1", Unusable.OTHER),
        ("SELECT absent()", Unusable.OTHER),
    ],
)
def test_a_mistake_in_a_statement_is_no_older_schema(
    tmp_path: Path, statement: str, expected: Unusable
) -> None:
    url = f"sqlite:///{tmp_path / 'wif.sqlite'}"
    database = Database(url)
    schema.upgrade(database)
    database.close()
    assert found(url, statement) is expected
