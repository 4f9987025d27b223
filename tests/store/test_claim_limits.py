"""A claim takes no more than it was asked for: a probe is one, whatever plan the engine makes."""

from datetime import UTC, datetime, timedelta

import pytest

from routing.assignment import Event, Notification
from routing.listing import ListedDossier
from store import deliveries, delivery_claims, dossier_claims
from store.deliveries import Order
from store.dossiers import FRESH
from store.engine import Database
from store.leases import Lease
from store.listing import note_listed

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
LEASE = timedelta(minutes=4)


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_no_more_than_the_limit_is_claimed(database_url: str, limit: int) -> None:
    database = Database(database_url)
    with database.begin() as connection:
        rows = [
            ListedDossier(number=number, state=None, filed_at=NOW, changed_at=NOW)
            for number in range(1, 31)
        ]
        note_listed(connection, 13760, rows, now=NOW, lane=FRESH)
        orders = [
            Order(
                procedure=13760,
                number=number,
                notification=Notification(Event.FILED, "UD075"),
                channel="mail",
                assignment=1,
                lane=0,
            )
            for number in range(1, 31)
        ]
        deliveries.queue(connection, orders, NOW)
    with database.begin() as connection:
        lease = Lease(NOW, LEASE)
        taken = dossier_claims.claim(connection, 13760, limit=limit, lease=lease, now=NOW)
        assert len(taken) == limit
        claimed = delivery_claims.claim(
            connection, channel="mail", limit=limit, lease=lease, now=NOW
        )
        assert len(claimed) == limit
    database.close()
