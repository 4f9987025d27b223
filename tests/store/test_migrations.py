"""Databases of earlier versions upgrade with what is stored in them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from connectors.tps.v1.cursor import Cursor, Scan, decode
from store import polls, procedures, schema
from store.engine import Database
from store.leases import Lease
from store.procedures import ProcedureStatus
from tests.fixtures.harness import START

INSERT = text(
    "INSERT INTO procedures"
    " (number, next_poll_at, next_scan_at, scan_started_at, scanned_at, scan_page, scan_pages)"
    " VALUES (:number, :now, :now, :started, :scanned, :page, :pages)"
)
IDLE, IN_A_SCAN, AT_ITS_END, NEW = 1, 2, 3, 4
WRITTEN = "2026-11-23 08:00:00"


@pytest.fixture
def upgraded(empty_database_url: str) -> Iterator[Database]:
    """A database of before cursors were text, with procedures in every position, upgraded."""
    database = Database(empty_database_url)
    schema.upgrade(database, "0010")
    positions = (
        (IDLE, None, WRITTEN, None, 7),
        (IN_A_SCAN, WRITTEN, WRITTEN, 3, 7),
        (AT_ITS_END, WRITTEN, None, 0, 7),
        (NEW, None, None, None, 1),
    )
    with database.begin() as connection:
        for number, started, scanned, page, pages in positions:
            given = {"number": number, "started": started, "scanned": scanned, "page": page}
            connection.execute(INSERT, {**given, "now": WRITTEN, "pages": pages})
        connection.execute(
            text(
                "INSERT INTO dossiers (procedure, number, status, seen_at, last_listed_at, deaths)"
                " VALUES (1, 42, 'pending', :now, :now, 2)"
            ),
            {"now": WRITTEN},
        )
    schema.upgrade(database)
    yield database
    database.close()


@pytest.mark.parametrize(
    ("number", "cursor"),
    [
        (IDLE, Cursor(pages=7)),
        (IN_A_SCAN, Cursor(pages=7, scan=Scan(page=3))),
        (AT_ITS_END, Cursor(pages=7, scan=Scan(page=1))),
        (NEW, Cursor()),
    ],
)
def test_a_cursor_goes_on_where_it_stood(upgraded: Database, number: int, cursor: Cursor) -> None:
    with upgraded.begin() as connection:
        text_ = procedures.cursor(connection, number)
        assert text_ is not None
        assert decode(text_) == cursor
        claim = polls.claim(connection, number, Lease(START, START - START), START)
    assert claim is not None
    assert claim.status is ProcedureStatus.ACTIVE
    assert (claim.scan_started_at is not None) == (cursor.scan is not None)
    assert claim.scanned == (number in {IDLE, IN_A_SCAN})


def test_lost_workers_stay_charged_to_their_dossier(upgraded: Database) -> None:
    with upgraded.read() as connection:
        query = text("SELECT worker_losses FROM dossiers WHERE number = 42")
        assert connection.execute(query).scalar_one() == 2
