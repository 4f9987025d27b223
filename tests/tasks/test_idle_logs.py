"""What an idle service writes: a day of ticks that bring nothing stays far below 5 MB at INFO."""

import io
import logging
from collections.abc import Iterator

import pytest
from celery import Task

from config.logs import configure
from service import queues
from tasks import celery
from tasks.schedule import beat_entries
from tests.fixtures.harness import Harness
from tests.fixtures.logging_state import logging_restored

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

A_DAY = 5_000_000
"""Bytes that an idle service may write in a day."""

HOURS = 24
TICK_SECONDS = 15
CONFIGURED = 74
"""Procedures of the default rules; the harness polls two of them."""


@pytest.fixture
def idle(harness: Harness) -> Iterator[Harness]:
    """A service that knows all there is, with all its parts alive."""
    harness.runtime.alive = lambda: {"beat", *queues.ALL}
    harness.file()
    harness.run()
    with celery.process.using(harness.runtime):
        for task in beat_entries(harness.runtime.settings).values():
            run(task["task"])
        harness.waker.woken.clear()
        with logging_restored():
            yield harness


def run(name: str, *ids: int) -> None:
    """A task as a worker runs it, with the lines of Celery about it."""
    task: Task[..., None] = celery.app.tasks[name]
    task.apply(args=ids).get()


def written_in_an_hour(harness: Harness, level: str) -> int:
    """Bytes of all log lines of an hour in which nothing happens."""
    stream = io.StringIO()
    configure(json=True, level=level, stream=stream)
    entries = beat_entries(harness.runtime.settings)
    for second in range(0, 3600, TICK_SECONDS):
        harness.wait(seconds=TICK_SECONDS)
        for name, entry in entries.items():
            if second % max(int(entry["schedule"]), TICK_SECONDS) == 0:
                logging.getLogger("celery.beat").info(
                    "Scheduler: Sending due task %s (%s)", name, entry["task"]
                )
                run(entry["task"])
        for woken in list(harness.waker.woken):
            if woken.startswith("poll "):
                run("wif.poll-procedure", int(woken.split()[1]))
        harness.waker.woken.clear()
    return len(stream.getvalue().encode())


def a_day_of_all(harness: Harness, level: str) -> int:
    """The same as a bound for a day of all procedures: as if every line was of a poll."""
    polled = len(harness.runtime.settings.only_procedures or ())
    return written_in_an_hour(harness, level) * HOURS * CONFIGURED // polled


def test_an_idle_service_writes_less_than_five_megabytes_a_day(idle: Harness) -> None:
    assert a_day_of_all(idle, "INFO") < A_DAY


def test_at_debug_the_same_day_would_be_more(idle: Harness) -> None:
    """The control: the ticks and the polls did run, and their lines are seen."""
    assert a_day_of_all(idle, "DEBUG") > A_DAY
