"""How many requests this process made to TPS, by what came of them, until the count is taken.

A count in the database for each request would cost more than the request's own bookkeeping;
it is taken at the end of a task, and added there (`service/request_count.py`).
"""

import threading
from collections import Counter
from collections.abc import Mapping


class RequestCount:
    """Counts by HTTP status, or by the code of what failed before there was one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: Counter[str] = Counter()

    def add(self, outcome: str, amount: int = 1) -> None:
        """Count requests that ended so."""
        with self._lock:
            self._counted[outcome] += amount

    def take(self) -> Mapping[str, int]:
        """What was counted since it was last taken."""
        with self._lock:
            taken, self._counted = self._counted, Counter()
        return taken


REQUESTS = RequestCount()
"""Of this process."""
