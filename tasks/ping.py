"""Whether a worker consumes: a message of its own goes through it, as any other would.

A worker whose connection is half open answers no task and looks alive from outside; one whose
processes all hang does, too. So the message has to come out again at the other end: the task
leaves a note in the broker's Redis, for which its sender waits.
"""

import secrets
import time

from celery import Task
from celery.utils.nodenames import worker_direct
from kombu.exceptions import OperationalError

from service.guards.redis_state import PREFIX, RedisState

LOOK_AGAIN_SECONDS = 0.1
NOTE_SECONDS = 120
"""How long a note is kept for its sender."""

LARGEST_TOKEN = 2**53


def leave_note(shared: RedisState, token: int) -> None:
    """Note that the message with this token was consumed."""
    shared.ask(lambda client: client.set(_name(token), "1", ex=NOTE_SECONDS), None)


def consumes(task: "Task[[int], None]", worker: str, shared: RedisState, *, within: float) -> bool:
    """Whether a worker takes a message of its own, and works on it.

    Args:
        task: leaves a note.
        worker: its name, with its host.
        shared: where the note is left.
        within: seconds to wait.
    """
    token = secrets.randbelow(LARGEST_TOKEN)
    try:
        # One that is not taken in time is thrown away by the worker that takes it.
        task.apply_async((token,), queue=worker_direct(worker), expires=within)
    except OperationalError:
        return False
    give_up_at = time.monotonic() + within
    while time.monotonic() < give_up_at:
        if shared.ask(lambda client: client.delete(_name(token)), 0):
            return True
        time.sleep(LOOK_AGAIN_SECONDS)
    return False


def _name(token: int) -> str:
    return f"{PREFIX}ping:{token}"
