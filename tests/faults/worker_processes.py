"""Processes of the service that are killed: forked in milliseconds, SIGKILLed at a named point.

A clean server process, which knows nothing of the test's threads, forks them. Where they
are in their work is seen from outside: a request to TPS, a message that was accepted.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from config.settings import read
from service.guards.limits import LEASE
from simulator import Seen
from tests.faults import safeguards
from tests.faults.clock import CLOCK, SimulatedClock
from tests.faults.office_server import Told
from tests.faults.system import MINUTE, InProcessWorkers, System, make_runtime
from tests.fixtures.forked_programs import FORKS

PATIENCE = 60.0
"""Seconds within which a process ends one way or the other."""


def one_turn(
    settings: dict[str, Any], now: datetime, without: Sequence[str], tasks: Sequence[str]
) -> None:
    """The body of a process: one tick of beat and all that follows, or the tasks given."""
    for name in without:
        safeguards.BY_NAME[name](pytest.MonkeyPatch())
    made = read(**settings)
    runtime = make_runtime(made, SimulatedClock(made.var_dir / CLOCK, now))
    workers = InProcessWorkers(runtime)
    runtime.waker = workers
    workers.messages.extend((task, ()) for task in tasks)
    if not tasks:
        workers.tick()
    workers.work()
    runtime.close()
    os._exit(len(workers.failed))


def start(system: System, *, without: Iterable[str] = (), tasks: Iterable[str] = ()) -> BaseProcess:
    """A process that does one turn of a system's work, with its own connections."""
    process = FORKS.Process(
        target=one_turn,
        args=(system.settings.model_dump(), system.clock(), [*without], [*tasks]),
        daemon=True,
    )
    process.start()
    return process


Contact = Callable[[Seen | Told], bool]


@dataclass
class WorkerProcess:
    """A process that does one turn of the work, and to which something happens in the midst.

    Attributes:
        at: at which contact with the outside it happens.
        counts: which requests and messages are contacts.
        without: names of the safeguards that the process has to do without.
    """

    system: System
    at: int
    counts: Contact = lambda _: True
    without: Iterable[str] = ()
    _left: int = 0
    _process: BaseProcess | None = None
    _begun: threading.Event = field(default_factory=threading.Event)
    _interrupted: threading.Event = field(default_factory=threading.Event)

    def killed(self) -> bool:
        """Let it work until it is killed; False when it ended before. Its leases run out."""
        with self._watched(kill) as process:
            process.join(PATIENCE)
        assert process.exitcode in {0, -signal.SIGKILL}
        if self._interrupted.is_set():
            self.system.note_accident()
            self.system.clock.move(LEASE)
        self.system.clock.move(MINUTE)
        return self._interrupted.is_set()

    def stalled(self, meanwhile: Callable[[], object]) -> bool:
        """Let it work until it is stopped; its leases run out, others work, and it goes on.

        False when it ended before.
        """
        with self._watched(lambda pid: os.kill(pid, signal.SIGSTOP)) as process:
            while not self._interrupted.wait(0.01) and process.is_alive():
                pass
            if self._interrupted.is_set():
                self.system.note_accident()
                self.system.clock.move(LEASE + MINUTE)
                meanwhile()
                os.kill(self._pid(), signal.SIGCONT)
            process.join(PATIENCE)
        assert process.exitcode == 0
        return self._interrupted.is_set()

    @contextmanager
    def _watched(self, intervene: Callable[[int], None]) -> Iterator[BaseProcess]:
        self._left = self.at

        def contact(what: Seen | Told) -> None:
            self._left -= self.counts(what) and not self._interrupted.is_set()
            if self._left == 0 and not self._interrupted.is_set():
                self._interrupted.set()
                assert self._begun.wait(PATIENCE)
                intervene(self._pid())

        self.system.tps.on_request = self.system.offices.on_accept = contact
        try:
            self._process = start(self.system, without=self.without)
            self._begun.set()
            yield self._process
        finally:
            self.system.tps.on_request = self.system.offices.on_accept = None

    def _pid(self) -> int:
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid


def kill(pid: int) -> None:
    """End a process at once, and return when it does nothing any more."""
    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)


def wait_for_end(pid: int) -> None:
    """Return when a process that was killed does nothing any more."""
    until = time.monotonic() + PATIENCE
    while lives(pid):
        assert time.monotonic() < until, f"process {pid} survives SIGKILL"
        time.sleep(0.001)


def lives(pid: int) -> bool:
    """Whether a process is there and does something."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def is_list(what: Seen | Told) -> bool:
    """A request for a page of a list."""
    return isinstance(what, Seen) and what.path.endswith("/dossiers")


def is_detail(what: Seen | Told) -> bool:
    """A request for one dossier."""
    return isinstance(what, Seen) and not is_list(what)


def is_mail(what: Seen | Told) -> bool:
    """A message that was accepted, of which the sender does not know yet."""
    return isinstance(what, Told)
