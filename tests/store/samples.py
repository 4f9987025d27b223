"""A few dossiers in the database, as if a page had listed them."""

from collections.abc import Iterable
from datetime import datetime

from routing.listing import ListedDossier
from store.dossiers import FRESH, Lane
from store.engine import Database
from store.listing import note_listed
from tests.fixtures.harness import START

PROCEDURE = 13760


def list_dossiers(
    database: Database,
    numbers: Iterable[int],
    *,
    now: datetime = START,
    lane: Lane = FRESH,
    procedure: int = PROCEDURE,
) -> None:
    """Store new dossiers, due at `now`."""
    rows = [
        ListedDossier(number=number, state=None, filed_at=now, changed_at=now) for number in numbers
    ]
    with database.begin() as connection:
        note_listed(connection, procedure, rows, now=now, lane=lane)
