"""A poll holds its procedure by a lease, and writes nothing without it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from store import polls, procedures
from store.audit.log import AuditLog
from store.engine import Database
from store.leases import Lease
from store.polls import LeaseLost, PollClaim
from store.procedures import ProcedureStatus
from tests.fixtures.harness import START

LEASE = timedelta(minutes=4)
EARLY = timedelta(minutes=55)
NUMBER = 13760
AUDIT = AuditLog([b"synthetic-key-of-32-bytes-length!"])


@pytest.fixture
def database(database: Database) -> Database:
    with database.begin() as connection:
        procedures.register(connection, [NUMBER], START)
    return database


def claim(connection: Connection, *, after: timedelta = timedelta()) -> PollClaim | None:
    now = START + after
    return polls.claim(connection, NUMBER, Lease(now, LEASE), now)


def claimed(connection: Connection, *, after: timedelta = timedelta()) -> PollClaim:
    found = claim(connection, after=after)
    assert found is not None
    return found


def finish(connection: Connection, mine: PollClaim, **options: object) -> None:
    later = START + timedelta(minutes=1)
    polls.finish(
        connection,
        AUDIT,
        mine,
        cursor="behind",
        now=START,
        next_poll_at=later,
        **options,  # type: ignore[arg-type]
    )


def test_a_procedure_is_claimed_once_until_its_lease_ends(database: Database) -> None:
    with database.begin() as connection:
        claimed(connection)
        assert claim(connection) is None
        assert claim(connection, after=LEASE) is not None


def test_a_wake_up_that_comes_twice_claims_once(database: Database) -> None:
    with database.begin() as connection:
        finish(connection, claimed(connection))
        assert polls.claim(connection, NUMBER, Lease(START, LEASE), START, only_due=True) is None


def test_the_cursor_is_kept_with_each_page_and_at_the_end(database: Database) -> None:
    with database.begin() as connection:
        mine = claimed(connection)
        polls.advance(connection, mine, cursor="page", lease_until=START + LEASE)
        assert procedures.cursor(connection, NUMBER) == "page"
        finish(connection, mine)
        assert claimed(connection, after=LEASE).cursor == "behind"


def test_whoever_lost_the_lease_writes_nothing(database: Database) -> None:
    with database.begin() as connection:
        mine = claimed(connection)
        claimed(connection, after=LEASE)
        with pytest.raises(LeaseLost):
            polls.advance(connection, mine, cursor="stale", lease_until=START + LEASE)
        with pytest.raises(LeaseLost):
            finish(connection, mine)
        with pytest.raises(LeaseLost):
            polls.interrupt(connection, mine, cursor="stale", due_at=START)
        assert not polls.postpone(connection, mine, failures=1, reason="x", due_at=START)
        assert not polls.give_back(connection, mine)
        assert procedures.cursor(connection, NUMBER) is None


def test_a_scan_is_under_way_until_it_is_finished(database: Database) -> None:
    with database.begin() as connection:
        mine = claimed(connection)
        assert (mine.scan_due, mine.scanned) == (True, False)
        polls.advance(
            connection, mine, cursor=None, lease_until=START + LEASE, scan_started_at=START
        )
        polls.interrupt(connection, mine, cursor="half", due_at=START)
        again = claimed(connection)
        assert again.scan_started_at == START
        finish(connection, again, next_scan_at=START + timedelta(hours=1))
        done = claimed(connection)
        assert (done.scan_due, done.scanned, done.scan_started_at) == (False, True, None)


def test_a_procedure_that_was_refused_is_active_once_it_is_read(database: Database) -> None:
    with database.begin() as connection:
        polls.stop(connection, AUDIT, claimed(connection), reason="x", now=START, probe_at=START)
        refused = claimed(connection)
        assert refused.status is ProcedureStatus.STOPPED
        finish(connection, refused)
        assert procedures.status(connection, NUMBER) is ProcedureStatus.ACTIVE


def test_a_paused_procedure_stays_paused_whatever_its_poll_brings(database: Database) -> None:
    with database.begin() as connection:
        procedures.pause(connection, NUMBER, reason="schema-drift")
        mine = claimed(connection)
        polls.stop(connection, AUDIT, mine, reason="x", now=START, probe_at=START)
        finish(connection, claimed(connection))
        assert procedures.status(connection, NUMBER) is ProcedureStatus.PAUSED


def test_a_form_that_changed_is_no_reason_to_poll_again_before_its_time(
    database: Database,
) -> None:
    """Neither is that TPS refused another token before, by which this one was found."""
    later, hour = START + timedelta(minutes=5), timedelta(hours=1)
    with database.begin() as connection:
        refused = polls.claim(connection, NUMBER, Lease(START, LEASE), START, access_hash="old")
        assert refused is not None
        polls.stop(connection, AUDIT, refused, reason="x", now=START, probe_at=START + hour)
        found = due_with_a_new_token(connection, later)
        assert found is not None
        polls.pause(
            connection, AUDIT, found, reason="schema-drift", now=later, probe_at=later + hour
        )
        assert due_with_a_new_token(connection, later + timedelta(minutes=1)) is None
        assert due_with_a_new_token(connection, later + hour) is not None


def due_with_a_new_token(connection: Connection, now: datetime) -> PollClaim | None:
    lease = Lease(now, LEASE)
    return polls.claim(
        connection, NUMBER, lease, now, only_due=True, access_hash="new", early=EARLY
    )
