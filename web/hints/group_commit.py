"""Work on many requests at once: what came while one batch was worked on is the next."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

GATHER_SECONDS = 0.01
"""Between two batches, so that the next is larger: each takes as much work as it has statements.
A tenth of what TPS may wait for an answer; nothing that comes alone waits for it."""

T = TypeVar("T")
R = TypeVar("R")


class GroupCommit(Generic[T, R]):
    """Gives items to a function that blocks, one batch after the other, in a thread of its own.

    A commit takes as long for one hint as for a hundred, so that a flood makes batches
    larger and not the queue longer.

    Args:
        work: takes a batch, and returns what all who wait for one of its items get.
    """

    def __init__(self, work: Callable[[Sequence[T]], R]) -> None:
        self._work = work
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """What the batch of `item` gave, or raised, when it was worked on."""
        return await self.put(item)

    def put(self, item: T) -> asyncio.Future[R]:
        """Have `item` worked on soon."""
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._worker is None:
            self._worker = asyncio.create_task(self._run())
        return done

    async def _run(self) -> None:
        alone = CapacityLimiter(1)
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._work_on(batch, alone)
                if self._waiting:
                    await asyncio.sleep(GATHER_SECONDS)
        finally:
            self._worker = None

    async def _work_on(
        self, batch: Sequence[tuple[T, asyncio.Future[R]]], alone: CapacityLimiter
    ) -> None:
        try:
            result = await run_sync(self._work, [item for item, _ in batch], limiter=alone)
        except Exception as error:  # noqa: BLE001 - each of those who wait raises it
            for done in _lasting(batch):
                done.set_exception(error)
        else:
            for done in _lasting(batch):
                done.set_result(result)


def _lasting(batch: Sequence[tuple[T, asyncio.Future[R]]]) -> list[asyncio.Future[R]]:
    """Those whose connection still waits: it may have been cut meanwhile."""
    return [done for _, done in batch if not done.done()]
