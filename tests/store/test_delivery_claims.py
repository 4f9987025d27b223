"""Claims by channel: what rests is skipped, and no address keeps the others waiting."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from routing.assignment import Event, Notification
from store import deliveries
from store.deliveries import Order
from store.delivery_claims import ClaimedDelivery, claim, give_back
from store.engine import Database
from store.leases import Lease
from tests.fixtures.harness import START
from tests.store.test_deliveries import queue

LEASE = timedelta(minutes=4)


def fill(database: Database, **counts: int) -> None:
    """Queue as many webhooks for each unit, one unit after the other."""
    number = 0
    for unit, count in counts.items():
        orders = []
        for _ in range(count):
            number += 1
            notification = Notification(Event.FILED, unit)
            orders.append(
                Order(
                    procedure=1,
                    number=number,
                    notification=notification,
                    channel="webhook",
                    assignment=1,
                    lane=0,
                )
            )
        queue(database, *orders)


def take(
    database: Database, *, channel: str = "webhook", limit: int = 50, **options: object
) -> list[ClaimedDelivery]:
    with database.begin() as connection:
        return claim(
            connection,
            channel=channel,
            limit=limit,
            lease=Lease(START, LEASE),
            now=START,
            **options,  # type: ignore[arg-type]
        )


def units(claimed: list[ClaimedDelivery]) -> Counter[str]:
    return Counter(each.unit for each in claimed)


def test_a_channel_takes_its_own(database: Database) -> None:
    fill(database, UD075=3)
    assert take(database, channel="mail") == []
    assert len(take(database)) == 3


def test_resting_addresses_are_skipped(database: Database) -> None:
    fill(database, UD075=30, UD093=3)
    assert units(take(database, skip_units=["UD075"])) == {"UD093": 3}


def test_a_backlog_of_one_address_takes_no_more_than_its_share(database: Database) -> None:
    fill(database, UD075=200, UD093=2, UD013=9)
    assert units(take(database, most_each=5)) == {"UD075": 5, "UD093": 2, "UD013": 5}


def test_the_limit_holds_whatever_the_shares(database: Database) -> None:
    fill(database, UD075=9, UD093=9, UD013=9)
    assert len(take(database, limit=7, most_each=5)) == 7


def test_nobody_else_sends_to_an_address_that_is_being_sent_to(database: Database) -> None:
    fill(database, UD075=20, UD093=20)
    with database.begin() as connection:
        mine = claim(
            connection,
            channel="webhook",
            limit=5,
            lease=Lease(START, LEASE),
            now=START,
            skip_units=["UD093"],
            most_each=5,
        )
    assert units(mine) == {"UD075": 5}
    assert units(take(database, most_each=5)) == {"UD093": 5}
    assert take(database, most_each=5) == []


def test_a_lease_that_ran_out_or_was_given_back_frees_the_address(database: Database) -> None:
    fill(database, UD075=20)
    lease = Lease(START, LEASE)
    with database.begin() as connection:
        mine = claim(connection, channel="webhook", limit=5, lease=lease, now=START, most_each=5)
        give_back(connection, [each.id for each in mine], lease, due_at=START)
    assert len(take(database, most_each=5)) == 5
    later = START + LEASE + timedelta(seconds=1)
    with database.begin() as connection:
        again = claim(
            connection,
            channel="webhook",
            limit=50,
            lease=Lease(later, LEASE),
            now=later,
            most_each=5,
        )
    assert len(again) == 5


def test_the_key_tells_channels_apart(database: Database) -> None:
    fill(database, UD075=1)
    (claimed,) = take(database)
    assert claimed.key == "1.1.filed.UD075.webhook.1"
    assert replace(claimed, channel="mail").key != claimed.key
    with database.read() as connection:
        assert deliveries.channels_due(connection, ["mail", "webhook"], START) == []


def test_what_a_peer_asked_to_wait_for_is_held_back_for_that_unit_alone(
    database: Database,
) -> None:
    fill(database, UD075=3, UD093=3)
    until = START + timedelta(minutes=30)
    with database.begin() as connection:
        deliveries.hold_back(connection, channel="webhook", unit="UD075", until=until)
    assert units(take(database)) == {"UD093": 3}
