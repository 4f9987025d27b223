"""How many hints of this second were taken."""

import time


class Rate:
    """Counts what is taken in each second, in the event loop alone.

    Not the limiter that is used for TPS: that one starts a thread for each hit to forget it.
    """

    def __init__(self) -> None:
        self._second = 0
        self._taken = 0

    def hit(self, most: int) -> bool:
        """Whether one more may be taken, of `most` a second; it counts if so."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._taken = second, 0
        if self._taken >= most:
            return False
        self._taken += 1
        return True
