"""A limit of requests a minute towards TPS, kept by all workers together.

Each process reserves a few requests at once, so that the count costs no round trip for
each dossier. What is reserved is used soon or thrown away, and counted a little longer
than a minute: so no minute sees more requests than allowed.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import redis
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from routing.failures import Cause, Failure
from routing.retries import THROTTLED_DELAY
from service.clock import Clock
from service.guards.redis_state import PREFIX, RedisState, parse_epoch

MINUTE_SECONDS = 60
SHELF_LIFE_SECONDS = 5

LARGEST_RESERVE = 25
"""Requests reserved at once, to save round trips: a tenth of a second of reading."""

KEPT_FOR_POLLS = 0.1
"""Share of the limit that is reserved for polls: a backlog of readings must not stop them."""

PATIENCE_SECONDS = 2.0
"""How long a task waits for a request. Then it gives its dossiers back."""

LOOK_AGAIN_SECONDS = 0.2

LONGEST_PAUSE = timedelta(hours=1)
"""The most that is believed of TPS and of Redis: then TPS is asked again."""

PAUSE = f"{PREFIX}tps-pause"
_ALL = "all"


class Throttle:
    """Limits requests to TPS.

    Args:
        state: where the workers share the count; each counts for itself while it is away.
        per_minute: requests of all workers together.
        clock: the present instant.
        sleep: lets seconds pass.
        name: of this limit, where there are several; each counts by itself.
        minute: seconds in which `per_minute` are allowed.
        shelf_life: seconds within which a reserved request is made; the window is longer than a
            minute by as much.

    Attributes:
        patience: seconds to wait before a request is refused.
    """

    def __init__(
        self,
        state: RedisState,
        per_minute: int,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
        *,
        name: str = "",
        minute: float = MINUTE_SECONDS,
        shelf_life: float = SHELF_LIFE_SECONDS,
    ) -> None:
        self.patience = PATIENCE_SECONDS
        self._state = state
        self._clock = clock
        self._sleep = sleep
        self._window = _Window(state, per_minute, name, seconds=int(minute + shelf_life))
        self._pause = f"{PAUSE}{name}"
        self._shelf_life = shelf_life
        self._left = {True: 0, False: 0}
        self._fresh_until = 0.0
        self._paused_until = datetime.min.replace(tzinfo=UTC)

    def take(self, *, reading: bool = False) -> None:
        """Wait until one request may be made.

        No database connection may be held meanwhile.

        Args:
            reading: whether it reads a dossier; such requests leave some to the polls.

        Raises:
            Failure: `TPS_THROTTLED`; `retry_after` says when to come back.
        """
        if not (self._left[reading] and time.monotonic() < self._fresh_until):
            self._reserve(reading=reading)
        self._left[reading] -= 1

    def used(self) -> float | None:
        """The share of the limit that all workers used in the last minute; None without a broker
        that could tell."""
        return self._window.used()

    def pause_if_throttled(self, failure: Failure) -> None:
        """Pause all workers when TPS answered 429."""
        if failure.cause is not Cause.TPS_THROTTLED or failure.status is None:
            return
        asked = timedelta(seconds=failure.retry_after or THROTTLED_DELAY.total_seconds())
        pause = min(asked, LONGEST_PAUSE)
        self._paused_until = max(self._paused_until, self._clock() + pause)
        self._left = {True: 0, False: 0}
        until, lasts = str(self._paused_until.timestamp()), max(pause, timedelta(seconds=1))
        self._state.ask(lambda client: client.set(self._pause, until, ex=lasts), None)

    def _reserve(self, *, reading: bool) -> None:
        give_up_at = time.monotonic() + self.patience
        while True:
            self._check_pause()
            if reserved := self._window.reserve(reading=reading):
                # The other kind is thrown away: it was reserved at another time.
                self._left = {reading: reserved, not reading: 0}
                self._fresh_until = time.monotonic() + self._shelf_life
                return
            if time.monotonic() >= give_up_at:
                raise Failure(Cause.TPS_THROTTLED, retry_after=self._window.wait)
            self._sleep(LOOK_AGAIN_SECONDS)

    def _check_pause(self) -> None:
        """Refuse while the workers pause: that is too long to wait for."""
        written = self._state.ask(lambda client: client.get(self._pause), None)
        until = parse_epoch(str(written)) if written else None
        self._paused_until = until or self._paused_until
        left = (self._paused_until - self._clock()).total_seconds()
        # A longer pause was written by a wrong clock, or not by this service.
        if 0 < left <= LONGEST_PAUSE.total_seconds():
            raise Failure(Cause.TPS_THROTTLED, retry_after=left)


class _Window:
    """The moving window in which requests are counted."""

    def __init__(self, state: RedisState, per_minute: int, name: str, *, seconds: int) -> None:
        for_polls = int(per_minute * KEPT_FOR_POLLS)
        self._state = state
        self._prefix = f"{PREFIX}tps{name}"
        self._all = RateLimitItemPerSecond(per_minute, seconds)
        self._reading = RateLimitItemPerSecond(per_minute - for_polls, seconds)
        self._size = max(1, min(LARGEST_RESERVE, per_minute // 100))
        self.wait = max(1.0, seconds * self._size / per_minute)
        """Seconds after which it is worth coming back: a reserve is free again on average."""
        self._in_redis: MovingWindowRateLimiter | None = None
        self._memory: MovingWindowRateLimiter | None = None

    def reserve(self, *, reading: bool) -> int:
        """Reserve some requests; 0 when there are none left."""
        size = self._size if reading else 1
        items = [(self._reading, "reading")] if reading else []
        free = all(self._hit(item, name, size) for item, name in [*items, (self._all, _ALL)])
        return size if free else 0

    def used(self) -> float | None:
        """The share of all requests that is used up, as the workers count it together."""

        def share(client: redis.Redis) -> float:
            left = self._limiter(client).get_window_stats(self._all, _ALL).remaining
            return 1 - left / self._all.amount

        return self._state.ask(share, None)

    def _hit(self, item: RateLimitItemPerSecond, name: str, size: int) -> bool:
        def count(client: redis.Redis) -> bool:
            return self._limiter(client).hit(item, name, cost=size)

        taken = self._state.ask(count, None)
        return self._own().hit(item, name, cost=size) if taken is None else taken

    def _limiter(self, client: redis.Redis) -> MovingWindowRateLimiter:
        if self._in_redis is None:
            storage = RedisStorage(
                "redis://", connection_pool=client.connection_pool, key_prefix=self._prefix
            )
            self._in_redis = MovingWindowRateLimiter(storage)
        return self._in_redis

    def _own(self) -> MovingWindowRateLimiter:
        if self._memory is None:
            self._memory = MovingWindowRateLimiter(MemoryStorage())
        return self._memory
