"""Deduplication of wake-ups: at most one message for the same work waits in its queue.

Messages of the sweep come besides, in case the one that waits was lost.
"""

from service.guards.redis_state import PREFIX, RedisState

LASTS_SECONDS = 60
"""How long a note lasts when its message was lost. The sweep ignores notes, so work is late by
one sweep at most."""


class Wakeups:
    """Notes of the messages that wait, shared by all workers.

    Args:
        state: where they are kept; while it does not answer every wake-up is sent.
    """

    def __init__(self, state: RedisState) -> None:
        self._state = state

    def note(self, task: str, ids: tuple[int | str, ...]) -> bool:
        """Note a message that is about to be sent; False when one waits already."""
        name = _name(task, ids)
        noted = self._state.ask(
            lambda client: bool(client.set(name, "1", ex=LASTS_SECONDS, nx=True)), None
        )
        return noted is not False

    def taken(self, task: str, ids: tuple[int | str, ...]) -> None:
        """Drop the note of a message that was taken: new work needs another one."""
        self._state.ask(lambda client: client.delete(_name(task, ids)), None)


def _name(task: str, ids: tuple[int | str, ...]) -> str:
    return f"{PREFIX}waits:{task}:{','.join(map(str, ids))}"
