"""Requests that come while others are worked on are worked on together."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from web.hints.group_commit import GroupCommit


def test_what_comes_meanwhile_is_one_batch() -> None:
    batches: list[Sequence[int]] = []
    busy, free = threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> int:
        batches.append(items)
        busy.set()
        free.wait(5)
        return len(items)

    async def run() -> list[int]:
        commit: GroupCommit[int, int] = GroupCommit(work)
        first = commit.put(0)
        await asyncio.to_thread(busy.wait, 5)
        others = [commit.put(number) for number in range(1, 9)]
        free.set()
        return await asyncio.gather(first, *others)

    assert asyncio.run(run()) == [1, *[8] * 8]
    assert batches == [[0], [1, 2, 3, 4, 5, 6, 7, 8]]


def test_each_of_a_batch_that_fails_is_told_and_the_next_one_is_worked_on() -> None:
    def work(items: Sequence[int]) -> None:
        if 0 in items:
            raise OSError("no")

    async def run() -> None:
        commit: GroupCommit[int, object] = GroupCommit(work)
        failing = [commit.put(0), commit.put(1)]
        for done in failing:
            with pytest.raises(OSError, match="no"):
                await done
        await commit.submit(2)

    asyncio.run(run())


def test_who_does_not_wait_any_more_disturbs_nobody() -> None:
    async def run() -> int:
        commit: GroupCommit[int, int] = GroupCommit(len)
        gone = commit.put(1)
        gone.cancel()
        return await commit.submit(2)

    assert asyncio.run(run()) == 2
