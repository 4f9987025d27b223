"""Storing a page: what becomes due, and what waits."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from routing.listing import ListedDossier
from routing.quarantine import ABSENCES_BEFORE_ASKING
from store import listing
from store.dossiers import FRESH, DossierStatus
from store.engine import Database
from store.listing import StoredPage
from store.models import Dossier
from tests.fixtures.harness import START

PROCEDURE = 13760
LATER = START + timedelta(minutes=5)


def row(number: int, changed_at: datetime = START) -> ListedDossier:
    return ListedDossier(number=number, state=None, filed_at=START, changed_at=changed_at)


def note(database: Database, *rows: ListedDossier, now: datetime = START) -> StoredPage:
    with database.begin() as connection:
        return listing.note_listed(connection, PROCEDURE, rows, now=now, lane=FRESH)


def settle(database: Database, **values: object) -> None:
    """Dossiers as if they had been read: not due any more."""
    with database.begin() as connection:
        connection.execute(update(Dossier).values(next_attempt_at=None, **values))


def due(database: Database) -> set[int]:
    query = select(Dossier.number).where(Dossier.next_attempt_at.is_not(None))
    with database.read() as connection:
        return set(connection.execute(query).scalars())


def test_new_and_changed_dossiers_become_due(database: Database) -> None:
    assert note(database, row(1), row(2)).new == (1, 2)
    settle(database)
    stored = note(database, row(1), row(2, LATER), row(3), now=LATER)
    assert (stored.new, stored.changed) == ((3,), (2,))
    assert due(database) == {2, 3}


def test_a_page_without_rows_is_no_work(database: Database) -> None:
    assert note(database) == StoredPage()


def test_what_tps_lists_as_deleted_is_asked_for_once(database: Database) -> None:
    note(database, row(1), row(2))
    settle(database, status=DossierStatus.ROUTED.value)
    with database.begin() as connection:
        assert listing.ask_for(connection, PROCEDURE, [2, 77], START) == (2,)
        assert listing.ask_for(connection, PROCEDURE, [2, 77], START) == ()
        absences = connection.scalar(select(Dossier.absences).where(Dossier.number == 2))
    assert due(database) == {2}
    assert absences == ABSENCES_BEFORE_ASKING


def test_what_is_gone_is_asked_for_no_more(database: Database) -> None:
    note(database, row(1))
    settle(database, status=DossierStatus.GONE.value)
    with database.begin() as connection:
        assert listing.ask_for(connection, PROCEDURE, [1], START) == ()
