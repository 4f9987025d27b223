"""PostgreSQL connections whose every answer comes within a deadline.

`statement_timeout` is kept by the server, and TCP's own time-outs see only silence: a server or
proxy that drips its answer would hold a worker until Celery kills it, and `wif run-once` for ever.
"""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when an answer is late.

    Attributes:
        answer_seconds: how long the whole answer to a statement, a commit included, may take.
    """

    answer_seconds: float | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for an answer.

        Raises:
            psycopg.OperationalError: it is late. The connection is closed then.
        """
        bound = self.answer_seconds if timeout is None else timeout
        try:
            return super().wait(gen, interval, bound)
        except psycopg.OperationalError:
            if timeout is None and self.pgconn.transaction_status == ACTIVE:
                self.pgconn.finish()
            raise


ACTIVE = psycopg.pq.TransactionStatus.ACTIVE
"""While an answer is under way."""
