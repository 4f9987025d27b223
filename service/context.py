"""What a process of the service is told at its start: settings, clock, how to wake and to stop."""

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from config.settings import Settings
from service.clock import Clock, utc_now
from service.waker import NoWaker, Waker


@dataclass
class Context:
    """Settings and clocks, without any connection.

    Attributes:
        settings: of this process.
        clock: gives the present instant.
        jitter: gives a number in [0, 1) that spreads retries.
        single_pass: this process makes one pass and asks for everything once (`wif run-once`).
        waker: how other workers are told of work.
        alive: names of the parts of the service that live, as far as they can be asked.
        stopping: whether this process was told to stop, and should start no new call.
        actor: who acts, where a person does; None for the service itself.
    """

    settings: Settings
    clock: Clock = utc_now
    jitter: Callable[[], float] = random.random
    single_pass: bool = False
    waker: Waker = field(default_factory=NoWaker)
    alive: Callable[[], Collection[str]] = frozenset
    stopping: Callable[[], bool] = lambda: False
    actor: str | None = None

    def now(self) -> datetime:
        """The present instant, by the clock set at that moment: tests replace it."""
        return self.clock()
