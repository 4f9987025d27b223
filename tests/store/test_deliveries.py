"""The outbox: unique keys, claims, leases, dead letters."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from routing.assignment import Event, Notification
from routing.listing import ListedDossier
from store import deliveries
from store.audit.log import AuditEntry, AuditLog, Step
from store.deliveries import DeliveryState, Filter, Order
from store.delivery_claims import claim, give_back
from store.delivery_outcomes import Postponement, finish_sent, postpone
from store.dossiers import FRESH
from store.engine import Database
from store.leases import Lease
from store.listing import note_listed
from store.models import AuditLine
from tests.fixtures.harness import START

LEASE = timedelta(minutes=4)


def order(number: int, unit: str = "UD075") -> Order:
    return Order(
        procedure=1,
        number=number,
        notification=Notification(Event.FILED, unit),
        channel="mail",
        assignment=1,
        lane=0,
    )


AUDIT = AuditLog([b"synthetic-key-of-32-bytes-length!"])


def told(database: Database) -> list[tuple[object, ...]]:
    """The lines of the audit log, in order."""
    of = AuditLine
    columns = (of.step, of.procedure, of.dossier_ref, of.unit, of.attempt, of.at)
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(of.id))]


def queue(database: Database, *orders: Order) -> None:
    with database.begin() as connection:
        rows = [
            ListedDossier(number=item.number, state=None, filed_at=START, changed_at=START)
            for item in orders
        ]
        note_listed(connection, 1, rows, now=START, lane=FRESH)
        deliveries.queue(connection, orders, START)


def listed(database: Database) -> list[deliveries.StoredDelivery]:
    with database.read() as connection:
        return deliveries.listing(connection, Filter())


def test_the_same_delivery_is_queued_once(database: Database) -> None:
    queue(database, order(1), order(2))
    queue(database, order(1))
    assert len(listed(database)) == 2


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_no_more_than_the_limit_is_claimed(database: Database, limit: int) -> None:
    queue(database, *(order(number) for number in range(1, 31)))
    with database.begin() as connection:
        lease = Lease(START, LEASE)
        assert len(claim(connection, channel="mail", limit=limit, lease=lease, now=START)) == limit


def test_a_claimed_delivery_is_nobody_elses_until_its_lease_ends(database: Database) -> None:
    queue(database, order(1))
    first, second = Lease(START, LEASE), Lease(START, LEASE)
    with database.begin() as connection:
        (mine,) = claim(connection, channel="mail", limit=10, lease=first, now=START)
        assert claim(connection, channel="mail", limit=10, lease=second, now=START) == []
    later = START + LEASE
    with database.begin() as connection:
        (again,) = claim(connection, channel="mail", limit=10, lease=Lease(later, LEASE), now=later)
        assert again.attempts == 2
        sent = {mine.id: AuditEntry(step=Step.SENT, procedure=1, number=1)}
        assert finish_sent(connection, AUDIT, sent, first, later) == frozenset()
    assert listed(database)[0].state == DeliveryState.SENDING
    assert told(database) == []


def test_what_was_sent_is_finished_with_its_line_where_the_lease_still_holds(
    database: Database,
) -> None:
    queue(database, *(order(number) for number in range(1, 6)))
    early, late = Lease(START, LEASE), Lease(START, LEASE)
    with database.begin() as connection:
        lost = claim(connection, channel="mail", limit=2, lease=early, now=START)
        mine = claim(connection, channel="mail", limit=3, lease=late, now=START)
    lines = {
        each.id: AuditEntry(
            step=Step.SENT, procedure=1, number=each.number, unit=each.unit, attempt=1
        )
        for each in [*lost, *reversed(mine)]
    }

    done = database.run(
        lambda connection: finish_sent(connection, AUDIT, lines, late, START), alone=True
    )

    assert done == {each.id for each in mine}
    refs = [AUDIT.refs(1, each.number)[0] for each in reversed(mine)]
    assert told(database) == [("sent", 1, ref, "UD075", 1, START) for ref in refs]
    states = {each.number: each.state for each in listed(database)}
    assert {number for number, state in states.items() if state == DeliveryState.SENT} == {
        each.number for each in mine
    }


def test_what_was_finished_and_is_finished_again_has_one_line(database: Database) -> None:
    """A commit whose answer was cut off is repeated on another connection."""
    queue(database, order(1))
    lease = Lease(START, LEASE)
    with database.begin() as connection:
        (mine,) = claim(connection, channel="mail", limit=1, lease=lease, now=START)
    sent = {mine.id: AuditEntry(step=Step.SENT, procedure=1, number=1)}

    def finish(connection: Connection) -> frozenset[int]:
        return finish_sent(connection, AUDIT, sent, lease, START)

    assert database.run(finish, alone=True) == {mine.id}
    assert database.run(finish, alone=True) == frozenset()
    assert len(told(database)) == 1


def test_what_commits_by_itself_does_not_make_the_next_transaction_do_so(
    database: Database,
) -> None:
    database.run(lambda connection: connection.execute(select(1)), alone=True)
    with suppress(InterruptedError), database.begin() as connection:
        deliveries.queue(connection, [order(1)], START)
        raise InterruptedError
    assert listed(database) == []


def test_a_line_that_cannot_be_stored_leaves_its_delivery_unfinished(database: Database) -> None:
    queue(database, order(1))
    lease = Lease(START, LEASE)
    with database.begin() as connection:
        (mine,) = claim(connection, channel="mail", limit=1, lease=lease, now=START)
        connection.exec_driver_sql("ALTER TABLE audit_lines RENAME TO audit_lines_away")
    sent = {mine.id: AuditEntry(step=Step.SENT, procedure=1, number=1)}

    with pytest.raises(DBAPIError):
        database.run(
            lambda connection: finish_sent(connection, AUDIT, sent, lease, START), alone=True
        )

    assert listed(database)[0].state == DeliveryState.SENDING


def test_every_copy_of_a_delivery_has_the_same_key(database: Database) -> None:
    queue(database, order(1), order(2))
    later = START + LEASE
    with database.begin() as connection:
        first = claim(connection, channel="mail", limit=10, lease=Lease(START, LEASE), now=START)
        copies = claim(connection, channel="mail", limit=10, lease=Lease(later, LEASE), now=later)
    assert [item.key for item in first] == [item.key for item in copies]
    assert len({item.key for item in first}) == 2


def test_many_workers_never_claim_the_same_delivery(database_url: str) -> None:
    database = Database(database_url)
    queue(database, *(order(number) for number in range(1, 201)))
    database.close()
    claimed: list[int] = []

    def work() -> None:
        own = Database(database_url)
        while True:
            with own.begin() as connection:
                batch = claim(
                    connection, channel="mail", limit=7, lease=Lease(START, LEASE), now=START
                )
            if not batch:
                break
            claimed.extend(item.id for item in batch)
        own.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 200


def test_a_dead_delivery_replayed_twice_is_due_once(database: Database) -> None:
    queue(database, order(1))
    lease = Lease(START, LEASE)
    with database.begin() as connection:
        (mine,) = claim(connection, channel="mail", limit=1, lease=lease, now=START)
        dead = Postponement(id=mine.id, reason="mail-rejected", attempts=1, next_attempt_at=None)
        postpone(connection, [dead], lease, START)
    assert listed(database)[0].state == DeliveryState.DEAD
    with database.begin() as connection:
        assert len(deliveries.replay(connection, Filter(unit="UD075"), START)) == 1
        assert deliveries.replay(connection, Filter(unit="UD075"), START) == []
    assert (listed(database)[0].state, listed(database)[0].attempts) == (DeliveryState.PENDING, 0)


def test_what_is_given_back_costs_no_attempt(database: Database) -> None:
    queue(database, order(1))
    lease = Lease(START, LEASE)
    with database.begin() as connection:
        (mine,) = claim(connection, channel="mail", limit=1, lease=lease, now=START)
        assert give_back(connection, [mine.id], lease, due_at=START) == 1
    assert (listed(database)[0].state, listed(database)[0].attempts) == (DeliveryState.PENDING, 0)
