"""Wake-ups that were sent and wait to be taken: a second one would only be in the way.

However often work is found, at most one message for it waits in the queue, besides those
of the sweep. So no second chain of messages grows beside a living one.
"""

from service.guards.redis_state import PREFIX, RedisState

LASTS_SECONDS = 60
"""How long a note lasts when its message was lost. The sweep does not ask for notes, so what
waits is late by one sweep at most."""


class Wakeups:
    """Notes of the messages that wait, for all workers.

    Args:
        shared: where they are kept; while it is away every wake-up is sent.
    """

    def __init__(self, shared: RedisState) -> None:
        self._shared = shared

    def note(self, task: str, ids: tuple[int | str, ...]) -> bool:
        """Note that a message is going to wait; False when one does already."""
        name = _name(task, ids)
        noted = self._shared.ask(
            lambda client: bool(client.set(name, "1", ex=LASTS_SECONDS, nx=True)), None
        )
        return noted is not False

    def taken(self, task: str, ids: tuple[int | str, ...]) -> None:
        """Note that a message was taken: what is found from now on needs another one."""
        self._shared.ask(lambda client: client.delete(_name(task, ids)), None)


def _name(task: str, ids: tuple[int | str, ...]) -> str:
    return f"{PREFIX}waits:{task}:{','.join(map(str, ids))}"
