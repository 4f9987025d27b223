"""Looking dossiers up: filters of the listing, pins, and making due again."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from routing.facts import DossierState
from store import dossier_claims, dossiers
from store.dossiers import DossierStatus
from store.engine import Database
from store.leases import Lease
from store.models import Dossier
from tests.fixtures.harness import START
from tests.store.samples import PROCEDURE, list_dossiers


@pytest.fixture
def database(database: Database) -> Database:
    list_dossiers(database, [1, 2, 3])
    list_dossiers(database, [4], procedure=PROCEDURE + 1, now=START + timedelta(hours=1))
    return database


def write(database: Database, number: int, **values: object) -> None:
    with database.begin() as connection:
        connection.execute(update(Dossier).where(Dossier.number == number).values(**values))


def listed(database: Database, **wanted: object) -> list[int]:
    with database.read() as connection:
        return [each.number for each in dossiers.listing(connection, **wanted)]  # type: ignore[arg-type]


def test_a_listing_is_filtered_and_in_order(database: Database) -> None:
    write(database, 1, status="routed", units=("UD075", "UD093"), department="75", state="closed")
    write(database, 2, unrouted=True, permit_type="apprentissage")
    assert listed(database) == [1, 2, 3, 4]
    assert listed(database, procedure=PROCEDURE, limit=2) == [1, 2]
    assert listed(database, status=DossierStatus.ROUTED) == [1]
    assert listed(database, unit="UD093") == [1]
    assert listed(database, unit="UD09") == []
    assert listed(database, department="75", state=DossierState.CLOSED) == [1]
    assert listed(database, unrouted=True) == listed(database, permit_type="apprentissage") == [2]
    assert listed(database, since=START + timedelta(minutes=1)) == [4]


def test_counts_name_each_status_and_what_is_unrouted(database: Database) -> None:
    write(database, 1, status="routed", unrouted=True)
    with database.read() as connection:
        assert dossiers.counts(connection) == {"pending": 3, "routed": 1, "unrouted": 1}


def test_a_pin_takes_a_dossier_from_whoever_reads_it(database: Database) -> None:
    lease = Lease(START, timedelta(minutes=4))
    with database.begin() as connection:
        dossier_claims.claim(connection, PROCEDURE, limit=1, lease=lease, now=START)
        dossiers.pin(connection, PROCEDURE, 1, unit="UD093", reason="error", now=START)
        assert dossier_claims.held(connection, PROCEDURE, [1], lease) == {}
        pinned = dossiers.get(connection, PROCEDURE, 1)
    assert pinned is not None
    assert (pinned.pinned_unit, pinned.pinned_reason) == ("UD093", "error")


def test_due_again_are_those_of_a_status_and_a_reason_that_no_worker_has(
    database: Database,
) -> None:
    for number, reason in ((1, "tps-timeout"), (2, "tps-malformed"), (3, "tps-timeout")):
        write(database, number, status="quarantined", reason=reason, next_attempt_at=None)
    write(database, 3, lease_token="held")
    with database.begin() as connection:
        made_due = dossiers.due_again(
            connection,
            procedure=PROCEDURE,
            statuses=[DossierStatus.QUARANTINED],
            reasons=["tps-timeout"],
            now=START,
        )
    assert made_due == 1
