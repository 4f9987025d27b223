"""Ends a server that a killed test run left behind, and removes its folders.

`atexit` does not run in a process that gets SIGKILL, so a small process of its own
waits for the end of a pipe that only the test run holds open.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 10.0
"""Seconds that a server is given to end by itself before it is killed."""

_PORTS = range(20_000, 32_000)
"""Below the range that the kernel gives to clients: a stopped server finds its own again."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nothing listens."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port


class Guard:
    """Watches over the folders of one server, which runs in one of them.

    Args:
        pid_file: what the server writes its process id into; its first line is read.
        folders: removed at the end.
    """

    def __init__(self, pid_file: Path, *folders: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(pid_file), *map(str, folders)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
        )

    def close(self) -> None:
        """End what is left of the server and remove the folders; returns when all are gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _server(pid_file: Path, folders: Sequence[Path]) -> int | None:
    """The id of the process that runs in one of `folders`, None when there is none.

    A pid file outlives a killed server, and its number may be somebody else's by now.
    """
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        working = Path(f"/proc/{pid}/cwd").readlink()
    except (OSError, ValueError):
        return None
    return pid if any(map(working.is_relative_to, folders)) else None


def _end(pid_file: Path, folders: Sequence[Path]) -> None:
    for number in (signal.SIGQUIT, signal.SIGKILL):
        until = time.monotonic() + PATIENCE
        sent = False
        while (pid := _server(pid_file, folders)) is not None and time.monotonic() < until:
            if not sent:
                os.kill(pid, number)
                sent = True
            time.sleep(0.02)


def _main(pid_file: Path, *folders: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdin.buffer.read()
    _end(pid_file, folders)
    for _ in range(50):
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        if not any(folder.exists() for folder in folders):
            return
        time.sleep(0.1)


if __name__ == "__main__":
    _main(*map(Path, sys.argv[1:]))
