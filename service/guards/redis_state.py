"""State that workers share through Redis. It is never the truth: the database is.

Without a broker, or while it does not answer, each process uses its own values.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import redis

from config import logs
from connectors.deadline import within
from service.guards.bounded_redis import FAULTS, connect

AWAY_SECONDS = 10.0
"""How long a Redis that did not answer is not asked again: a wait would slow every batch."""

ANSWER_SECONDS = 1.0
"""Deadline of a whole answer, which ordinarily takes a tenth of a millisecond."""

PREFIX = "wif:"

LARGEST_COUNT = 1_000_000
"""Larger counts were not written by this module."""

T = TypeVar("T")

log = logs.get_logger("tasks")


class RedisState:
    """A Redis that may be away.

    Args:
        url: the broker's, None where there is none.
        seconds: that a whole answer may take.
        away_seconds: for which one that did not answer is not asked again.
    """

    def __init__(
        self,
        url: str | None,
        *,
        seconds: float = ANSWER_SECONDS,
        away_seconds: float = AWAY_SECONDS,
    ) -> None:
        self._client = connect(url, seconds=seconds) if url else None
        self._seconds = seconds
        self._away_seconds = away_seconds
        self._away_until = 0.0
        self._away = False

    @property
    def client(self) -> redis.Redis | None:
        """The client, None where there is no broker."""
        return self._client

    def ask(self, work: Callable[[redis.Redis], T], otherwise: T) -> T:
        """What `work` gets from Redis; `otherwise` while it is away or holds what is not ours."""
        if self._client is None or time.monotonic() < self._away_until:
            return otherwise
        try:
            with within(self._seconds):
                answer = work(self._client)
        except FAULTS:
            self._missed()
            return otherwise
        except ValueError:
            return otherwise
        if self._away:
            self._away = False
            log.info("shared-state-back")
        return answer

    def close(self) -> None:
        """Give back the connections."""
        if self._client is not None:
            self._client.close()

    def _missed(self) -> None:
        self._away_until = time.monotonic() + self._away_seconds
        if not self._away:
            self._away = True
            log.warning("shared-state-away", delay_s=self._away_seconds)


def parse_epoch(written: str) -> datetime | None:
    """The instant whose timestamp stands in Redis, None when it is none."""
    try:
        return datetime.fromtimestamp(float(written), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def parse_count(written: str) -> int:
    """The count that stands in Redis, 0 when it is none."""
    plain = written.isascii() and written.isdigit() and len(written) <= len(str(LARGEST_COUNT))
    return int(written) if plain else 0


class SharedHash:
    """Small values by name, shared by all workers; local while Redis does not answer.

    Args:
        state: the Redis.
        name: of the hash in which the values stand.
    """

    def __init__(self, state: RedisState, name: str) -> None:
        self._state = state
        self._name = f"{PREFIX}{name}"
        self._values: dict[str, str] = {}

    def refresh(self) -> None:
        """Read the values of all workers, in one round trip."""
        found = self._state.ask(lambda client: client.hgetall(self._name), None)
        if found is not None:
            self._values = {str(name): str(value) for name, value in found.items()}

    def get(self, name: str) -> str | None:
        """A value as of the last refresh."""
        return self._values.get(name)

    def put(self, name: str, value: str) -> None:
        """Write a value for all."""
        self._values[name] = value
        self._state.ask(lambda client: client.hset(self._name, name, value), None)

    def drop(self, name: str) -> None:
        """Forget a value for all."""
        if self._values.pop(name, None) is not None:
            self._state.ask(lambda client: client.hdel(self._name, name), None)

    def add(self, name: str) -> int:
        """Increment a shared count; returns its new value."""
        here = min(parse_count(self._values.get(name, "0")) + 1, LARGEST_COUNT)
        total = self._state.ask(lambda client: client.hincrby(self._name, name, 1), here)
        self._values[name] = str(parse_count(str(total)) or here)
        return int(self._values[name])
