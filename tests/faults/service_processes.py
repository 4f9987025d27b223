"""The service as it runs: real workers and a real beat, short intervals, and a hand to kill.

A worker that died is started again, as any supervisor does. What a lease lasts is not
waited for: the clock of all processes is moved instead.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import celery.__main__

from cli.processes import ROOT
from service.guards.limits import LEASE
from simulator import Seen
from store import dossiers
from store.dossiers import DossierStatus
from tests.faults.app import WITHOUT
from tests.faults.office_server import Told
from tests.faults.system import HOUR, System
from tests.faults.violations import Violation
from tests.faults.worker_processes import PATIENCE, Contact, kill, lives, wait_for_end
from tests.fixtures.forked_programs import Running, fork

INTERVALS = {"poll_interval": 2, "sweep_interval": 3, "scan_interval": 5}
"""Seconds; a tick is worth something until the next one."""

LOOK = 0.2
"""Seconds between two looks at a condition."""


class Service:
    """Workers and beats on a system's settings.

    Args:
        system: whose settings they get, broker included.
        folder: for what they print.
        without: names of the safeguards that they have to do without.
    """

    def __init__(self, system: System, folder: Path, *, without: Iterable[str] = ()) -> None:
        self.system = system
        self.log = folder / "service.log"
        self.deaths = 0
        self._environment = {**os.environ, **_variables(system), WITHOUT: " ".join(without)}
        self._commands: dict[str, list[str]] = {}
        self._trees: dict[str, Path] = {}
        self._running: dict[str, Running] = {}
        self._revives = True

    def start_worker(
        self,
        name: str = "worker",
        *,
        concurrency: int = 2,
        queues: str = "poll,route,deliver,upkeep",
        tree: Path = ROOT,
    ) -> None:
        """Start a worker; on all queues but those of other channels than mail.

        Args:
            name: of the worker.
            concurrency: its processes.
            queues: that it takes from.
            tree: where its program is: an earlier version stands elsewhere.
        """
        self._trees[name] = tree
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        pool = ["--concurrency", str(concurrency), "--hostname", f"{name}@%h"]
        self._start(name, ["worker", "--queues", queues, *quiet, *pool])

    def start_beat(self, name: str = "beat", *, tree: Path = ROOT) -> None:
        """Start a beat of the program that stands in `tree`."""
        self._trees[name] = tree
        self._start(name, ["beat"])

    def kill(self, name: str = "worker") -> bool:
        """SIGKILL a worker and all of its processes; it is started again by the next look.

        False when it is dead already and was not started again yet.
        """
        process = self._running[name]
        if process.poll() is not None:
            return False
        children = _children(process.pid)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
        for child in children:
            wait_for_end(child)
        self._died()
        return True

    def kill_children(self, name: str = "worker") -> bool:
        """SIGKILL what does a worker's work, as the kernel does when memory runs out.

        False when the worker is dead already and was not started again yet.
        """
        process = self._running[name]
        if process.poll() is not None:
            return False
        for child in _children(process.pid):
            kill(child)
        self._died()
        return True

    def _died(self) -> None:
        self.deaths += 1
        # Before the account: what they had written to their sockets is accepted after it.
        self.system.offices.orphan()
        self.system.note_accident()
        if any(
            self._commands[name][0] == "worker" and process.poll() is None
            for name, process in self._running.items()
        ):
            self.system.note_outlived()
        self.system.clock.move(LEASE)

    def until(self, reached: Callable[[], object], *, within: float = PATIENCE) -> bool:
        """Look until something is the case; False when it is not in time, in seconds."""
        limit = time.monotonic() + within
        while not reached():
            if time.monotonic() > limit:
                return False
            self._revive()
            time.sleep(LOOK)
        return True

    def settle(self, *, within: float = PATIENCE) -> list[Violation]:
        """Run until the invariants hold, stop, and see that nothing was left to do."""
        if not self.until(lambda: not self.system.check(), within=within):
            return self.system.check()
        self.stop()
        if self._aside():
            # Its readers were killed again and again: it comes back on its own clock.
            self.system.clock.move(HOUR)
            self.system.turn()
        told = len(self.system.offices.told)
        self.system.clock.move(HOUR)
        self.system.turn()
        assert not self.system.workers.failed
        assert len(self.system.offices.told) == told
        return self.system.check()

    def _aside(self) -> bool:
        with self.system.runtime.database.read() as connection:
            return bool(dossiers.counts(connection).get(DossierStatus.QUARANTINED.value))

    def stop(self) -> None:
        """Ask all to end, as an operator does, and wait for them."""
        self._revives = False
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            _wait_or_ask_again(process)
        self._running.clear()

    def stop_one(self, name: str) -> None:
        """Ask one to end, and wait for it; the others go on."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGTERM)
        _wait_or_ask_again(process)

    def close(self) -> None:
        """End whatever still runs."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)

    def printed(self) -> str:
        """The end of what the processes printed: whether they still did anything, and what."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def _start(self, name: str, command: list[str]) -> None:
        self._commands[name] = command
        self._spawn(name)

    def _spawn(self, name: str) -> None:
        arguments = ["-A", "tests.faults.app", *self._commands[name]]
        if self._trees[name] == ROOT:
            self._running[name] = fork(
                celery.__main__.main,
                ["celery", *arguments],
                environment=self._environment,
                folder=ROOT,
                output=self.log,
            )
            return
        with self.log.open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "celery", *arguments],
                env=self._environment,
                cwd=self._trees[name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _revive(self) -> None:
        for name, process in list(self._running.items()):
            if self._revives and process.poll() is not None:
                self._spawn(name)


class Interventions:
    """Does something at chosen contacts of a service with the outside, before they are answered.

    Args:
        system: whose TPS and offices are watched.
        counts: which requests and messages are counted.
        interventions: for the number of a contact, what happens at it; at the next contact when
            it says False, as what the dead had asked for comes after them.
    """

    def __init__(
        self,
        system: System,
        counts: Contact,
        interventions: Mapping[int, Callable[[], bool | None]],
    ) -> None:
        self.done = 0
        self.failed: list[BaseException] = []
        self._counts = counts
        self._left = sorted(interventions.items(), reverse=True)
        self._seen = 0
        self._lock = threading.RLock()
        system.tps.on_request = system.offices.on_accept = self._contact

    def _contact(self, what: Seen | Told) -> None:
        with self._lock:
            if not self._counts(what):
                return
            self._seen += 1
            if not self._left or self._seen < self._left[-1][0]:
                return
            try:
                done = self._left[-1][1]() is not False
            except BaseException as error:
                self.failed.append(error)
                raise
            if done:
                self._left.pop()
                self.done += 1


def _wait_or_ask_again(process: Running) -> None:
    """Celery's beat ends by an exception in its signal handler, and takes it for a failure of
    the broker when it comes while a message is being sent: it has to be asked again."""
    for _ in range(3):
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE / 3)
            return
        process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)


def _variables(system: System) -> dict[str, str]:
    """The settings of a system as environment variables."""
    values = system.settings.model_dump(exclude_defaults=True)
    return {f"WIF_{name.upper()}": _text(value) for name, value in values.items()}


def _text(value: Any) -> str:  # noqa: ANN401
    reveal = getattr(value, "get_secret_value", None)
    return str(reveal() if reveal else value)


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if lives(int(child))]
