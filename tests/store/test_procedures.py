"""Procedures: which are due, which are stopped or paused, and what they are asked."""

from datetime import timedelta

import pytest

from store import polls, procedures
from store.engine import Database
from store.leases import Lease
from store.procedures import ProcedureStatus
from tests.fixtures.harness import START

FIRST, SECOND, UNKNOWN = 1, 2, 3
LATER = START + timedelta(minutes=1)


@pytest.fixture
def database(database: Database) -> Database:
    with database.begin() as connection:
        procedures.register(connection, [FIRST, SECOND], START)
    return database


def test_a_procedure_is_registered_once(database: Database) -> None:
    with database.begin() as connection:
        procedures.register(connection, [FIRST, UNKNOWN], LATER)
        rows = {row.number: row.next_poll_at for row in procedures.listing(connection)}
    assert rows == {FIRST: START, SECOND: START, UNKNOWN: LATER}


def test_due_are_those_whose_time_has_come_and_that_no_worker_polls(database: Database) -> None:
    with database.begin() as connection:
        assert set(procedures.due(connection, [FIRST, SECOND], START)) == {FIRST, SECOND}
        assert procedures.due(connection, [FIRST], START - timedelta(seconds=1)) == []
        polls.claim(connection, FIRST, Lease(START, timedelta(minutes=4)), START)
        assert procedures.due(connection, [FIRST, SECOND], START) == [SECOND]


def test_stopping_is_told_once(database: Database) -> None:
    with database.begin() as connection:
        told = [
            procedures.stop(connection, FIRST, reason="tps-unauthorized", next_poll_at=LATER)
            for _ in range(2)
        ]
        assert procedures.status(connection, FIRST) is ProcedureStatus.STOPPED
    assert [len(entries) for entries in told] == [1, 0]


def test_a_paused_procedure_is_not_stopped_and_only_a_person_resumes_it(
    database: Database,
) -> None:
    with database.begin() as connection:
        assert procedures.pause(connection, FIRST, reason="schema-drift")
        assert not procedures.pause(connection, FIRST, reason="schema-drift")
        assert not procedures.stop(connection, FIRST, reason="x", next_poll_at=LATER)
        assert procedures.set_status(
            connection, FIRST, ProcedureStatus.ACTIVE, reason=None, next_poll_at=LATER
        )
        assert procedures.status(connection, FIRST) is ProcedureStatus.ACTIVE


def test_failing_are_active_ones_whose_last_poll_failed(database: Database) -> None:
    with database.begin() as connection:
        claim = polls.claim(connection, FIRST, Lease(START, timedelta(minutes=4)), START)
        assert claim is not None
        polls.postpone(connection, claim, failures=2, reason="tps-timeout", due_at=LATER)
        assert procedures.failing(connection, [FIRST, SECOND]) == {"tps-timeout": 1}


def test_an_unknown_procedure_has_neither_status_nor_cursor(database: Database) -> None:
    with database.read() as connection:
        assert procedures.status(connection, UNKNOWN) is None
        assert procedures.cursor(connection, UNKNOWN) is None
        assert procedures.purged_before(connection, UNKNOWN) is None
