"""Claims of due dossiers: in which order, for how long, and what a lost worker leaves."""

from datetime import timedelta

import pytest

from store import dossier_claims, dossiers, procedures
from store.dossiers import BACKLOG
from store.engine import Database
from store.leases import Lease
from tests.fixtures.harness import START
from tests.store.samples import PROCEDURE, list_dossiers

LEASE = timedelta(minutes=4)


@pytest.fixture
def database(database: Database) -> Database:
    with database.begin() as connection:
        procedures.register(connection, [PROCEDURE, PROCEDURE + 1], START)
    return database


def claim(
    database: Database, *, limit: int = 10, after: timedelta = timedelta()
) -> tuple[Lease, list[dossiers.DossierRecord]]:
    now = START + after
    lease = Lease(now, LEASE)
    with database.begin() as connection:
        taken = dossier_claims.claim(connection, PROCEDURE, limit=limit, lease=lease, now=now)
    return lease, taken


def held(database: Database, lease: Lease, *numbers: int) -> set[int]:
    with database.begin() as connection:
        return set(dossier_claims.held(connection, PROCEDURE, numbers, lease))


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_no_more_than_the_limit_is_claimed(database: Database, limit: int) -> None:
    list_dossiers(database, range(1, 31))
    _, taken = claim(database, limit=limit)
    assert len(taken) == limit


def test_what_was_just_filed_is_claimed_before_the_backlog(database: Database) -> None:
    list_dossiers(database, [1, 2], now=START - timedelta(hours=1), lane=BACKLOG)
    list_dossiers(database, [3])
    _, taken = claim(database, limit=1)
    assert [each.number for each in taken] == [3]


def test_a_lease_that_ran_out_is_a_lost_worker(database: Database) -> None:
    list_dossiers(database, [1])
    lost, (first,) = claim(database)
    assert claim(database)[1] == []
    mine, (second,) = claim(database, after=LEASE)
    assert (first.worker_losses, second.worker_losses) == (0, 1)
    assert held(database, lost, 1) == set()
    assert held(database, mine, 1) == {1}


def test_only_what_is_due_of_a_page_is_claimed_for_it(database: Database) -> None:
    list_dossiers(database, [1, 2, 3])
    claim(database, limit=1)
    with database.begin() as connection:
        lease = Lease(START, LEASE)
        taken = dossier_claims.claim_listed(
            connection, PROCEDURE, [1, 2, 3, 77], lease=lease, now=START
        )
    assert len(taken) == 2


def test_what_is_given_back_is_due_and_charged_to_nobody(database: Database) -> None:
    list_dossiers(database, [1, 2])
    lease, _ = claim(database)
    with database.begin() as connection:
        stranger = Lease(START, LEASE)
        given = [
            dossier_claims.give_back(connection, PROCEDURE, [1], each, due_at=START)
            for each in (stranger, lease)
        ]
    assert given == [0, 1]
    _, (again,) = claim(database)
    assert (again.number, again.worker_losses) == (1, 0)


def test_procedures_with_work_are_active_ones_with_due_dossiers(database: Database) -> None:
    list_dossiers(database, [1], lane=BACKLOG)
    list_dossiers(database, [2], procedure=PROCEDURE + 1)
    with database.begin() as connection:
        assert set(dossier_claims.procedures_with_work(connection, START)) == {
            PROCEDURE,
            PROCEDURE + 1,
        }
        assert dossier_claims.procedures_with_fresh(connection, START) == [PROCEDURE + 1]
        procedures.pause(connection, PROCEDURE + 1, reason="schema-drift")
        assert dossier_claims.procedures_with_work(connection, START) == [PROCEDURE]
        assert dossier_claims.procedures_with_fresh(connection, START) == []
