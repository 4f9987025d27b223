"""What is written of a claimed dossier, and that only its claim may write it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from routing.assignment import Assignment
from routing.decision import Decision
from routing.facts import DepartmentSource, DossierState, Facts, Filer
from store import dossier_claims, dossier_outcomes, dossiers
from store.dossier_outcomes import Settlement
from store.dossiers import DossierRecord, DossierStatus
from store.engine import Database
from store.leases import Lease
from tests.fixtures.harness import START
from tests.store.samples import PROCEDURE, list_dossiers

LEASE = timedelta(minutes=4)
FACTS = Facts(
    procedure=PROCEDURE,
    number=1,
    state=DossierState.RECEIVED,
    filed_at=START,
    changed_at=START,
    permit_type="apprentissage",
    department="75",
    department_source=DepartmentSource.RESIDENCE_PERMIT,
    filer=Filer.STUDENT,
)
DECISION = Decision(
    units=("UD075",),
    rule="ud75",
    ruleset="0" * 64,
    facts=FACTS.fingerprint,
    reasons=(),
    routed=True,
)
SETTLEMENT = Settlement(
    facts=FACTS,
    status=DossierStatus.ROUTED,
    reason=None,
    decision=DECISION,
    assignment=Assignment(("UD075",), 1),
    next_attempt_at=None,
    decided_at=START,
)


@pytest.fixture
def database(database: Database) -> Database:
    list_dossiers(database, [1])
    return database


def claimed(database: Database) -> Lease:
    lease = Lease(START, LEASE)
    with database.begin() as connection:
        dossier_claims.claim(connection, PROCEDURE, limit=1, lease=lease, now=START)
    return lease


def stored(database: Database) -> DossierRecord:
    with database.read() as connection:
        found = dossiers.get(connection, PROCEDURE, 1)
    assert found is not None
    return found


def settle(database: Database, lease: Lease, settlement: Settlement = SETTLEMENT) -> None:
    with database.begin() as connection:
        dossier_outcomes.write_settlements(connection, lease, [settlement])


def test_facts_and_decision_are_stored(database: Database) -> None:
    settle(database, claimed(database))
    found = stored(database)
    assert (found.status, found.facts, found.assignment) == (
        DossierStatus.ROUTED,
        FACTS,
        SETTLEMENT.assignment,
    )
    assert (found.rule, found.ruleset, found.unrouted) == ("ud75", "0" * 64, False)


def test_facts_without_a_decision_keep_the_one_before(database: Database) -> None:
    settle(database, claimed(database), replace(SETTLEMENT, next_attempt_at=START))
    moved = replace(FACTS, state=DossierState.CLOSED)
    settle(database, claimed(database), replace(SETTLEMENT, facts=moved, decision=None))
    found = stored(database)
    assert (found.facts, found.rule) == (moved, "ud75")


def test_whoever_lost_the_claim_stores_nothing(database: Database) -> None:
    claimed(database)
    settle(database, Lease(START, LEASE))
    assert stored(database).status is DossierStatus.PENDING


@pytest.mark.parametrize("status", [DossierStatus.QUARANTINED, DossierStatus.GONE])
def test_a_dossier_that_cannot_be_read_is_put_aside(
    database: Database, status: DossierStatus
) -> None:
    with_lease = claimed(database)
    with database.begin() as connection:
        dossier_outcomes.put_aside(
            connection,
            PROCEDURE,
            1,
            with_lease,
            status=status,
            reason="tps-malformed",
            attempts=3,
            worker_losses=2,
            next_attempt_at=None,
            now=START,
        )
    found = stored(database)
    assert (found.status, found.reason) == (status, "tps-malformed")
    assert (found.attempts, found.worker_losses) == (3, 2)


def test_what_is_held_waits_until_its_procedure_is_resumed(database: Database) -> None:
    lease = claimed(database)
    with database.begin() as connection:
        dossier_outcomes.hold(connection, PROCEDURE, [1], lease, reason="schema-drift", now=START)
        late = START + timedelta(days=9)
        assert (
            dossier_claims.claim(connection, PROCEDURE, limit=1, lease=Lease(late, LEASE), now=late)
            == []
        )
        dossiers.due_again(connection, procedure=PROCEDURE, statuses=[DossierStatus.HELD], now=late)
        assert dossier_claims.claim(
            connection, PROCEDURE, limit=1, lease=Lease(late, LEASE), now=late
        )


def test_a_decision_may_be_replaced_without_a_reading(database: Database) -> None:
    settle(database, claimed(database))
    elsewhere = replace(DECISION, units=("UD093",), rule="ud93")
    with database.begin() as connection:
        dossier_outcomes.redecide(
            connection, stored(database), elsewhere, Assignment(("UD093",), 2), START
        )
    found = stored(database)
    assert (found.assignment, found.rule, found.facts) == (
        Assignment(("UD093",), 2),
        "ud93",
        FACTS,
    )
