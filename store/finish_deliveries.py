"""Deliveries that a server accepted: marked as sent, each with its audit line.

On PostgreSQL both are one statement, which is a transaction by itself: one round trip in
place of four, for every ten messages.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    ScalarResult,
    Select,
    bindparam,
    column,
    insert,
    select,
    update,
)

from store.audit.log import AuditEntry, AuditLog
from store.bulk import DOCUMENT, as_table, document
from store.deliveries import DeliveryState
from store.leases import Lease
from store.models import AuditLine, Delivery, table_of
from store.number_filter import number_in

_TABLE = table_of(Delivery)
_THIS = _TABLE.c
_ID = "delivery"
_PLACE = "place"

_FINISHING = (
    update(_TABLE)
    # By an array of ids, not by a join with the rows that are given: without statistics a
    # plan of that reads the whole table.
    .where(number_in(_THIS.id, "ids"), _THIS.lease_token == bindparam("lease"))
    .values(
        state=DeliveryState.SENT.value,
        reason=None,
        next_attempt_at=None,
        lease_token=None,
        finished_at=bindparam("now"),
    )
    .returning(_THIS.id)
)


def finish_sent(
    connection: Connection,
    audit: AuditLog,
    sent: Mapping[int, AuditEntry],
    lease: Lease,
    now: datetime,
) -> frozenset[int]:
    """Mark as sent what `lease` still holds, and write its lines; the ids of these deliveries.

    Args:
        connection: a transaction, or on PostgreSQL a connection that commits each statement.
        audit: takes the lines.
        sent: the line of each delivery, by its id, in the order in which they were sent.
        lease: under which they were claimed.
        now: the present instant.
    """
    if not sent:
        return frozenset()
    given = {"ids": list(sent), "lease": lease.token, "now": now}
    if connection.dialect.name == "sqlite":
        done = frozenset(connection.execute(_FINISHING, given).scalars())
        audit.append(connection, now, [line for id_, line in sent.items() if id_ in done])
        return done
    rows = audit.rows(now, sent.values())
    identified = [
        {_ID: id_, _PLACE: place, **row}
        for place, (id_, row) in enumerate(zip(sent, rows, strict=True))
    ]
    statement = _at_once(tuple(rows[0]))
    written = document(connection, AuditLine, identified)
    ids: ScalarResult[int] = connection.scalars(statement, {**given, DOCUMENT: written})
    return frozenset(ids)


@cache
def _at_once(names: tuple[str, ...]) -> Select[Any]:
    given = as_table(AuditLine, names, column(_ID, BigInteger), column(_PLACE, Integer))
    done = _FINISHING.cte("done")
    lines = (
        select(*(given.c[name] for name in names))
        .join_from(given, done, given.c[_ID] == done.c.id)
        .order_by(given.c[_PLACE])
    )
    table = table_of(AuditLine)
    told = insert(table).from_select(names, lines, include_defaults=False).cte("told")
    return select(done.c.id).add_cte(told)
