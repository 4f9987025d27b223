"""What processes took of the machine, from the kernel's own account (Linux)."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class _Stat:
    parent: int
    cpu_seconds: float


def tree(pids: Iterable[int]) -> set[int]:
    """The processes and all that they started."""
    parents = {pid: stat.parent for pid in _all() if (stat := _stat(pid))}
    wanted = set(pids)
    while grown := {pid for pid, parent in parents.items() if parent in wanted} - wanted:
        wanted |= grown
    return wanted


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of processes and all that they started, the ended ones included."""
    return sum(stat.cpu_seconds for pid in tree(pids) if (stat := _stat(pid)))


def resident_bytes(pid: int) -> int:
    """What a process has in memory now; 0 when it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0


def parent(pid: int) -> int:
    """The process that started a process; 0 when it has ended."""
    stat = _stat(pid)
    return stat.parent if stat else 0


def children(pid: int) -> list[int]:
    """The processes that a process started and that still run."""
    return sorted(child for child in _all() if (stat := _stat(child)) and stat.parent == pid)


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> _Stat | None:
    try:
        content = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name of the program may hold blanks and brackets: what follows it is counted.
    after = content.rpartition(")")[2].split()
    return _Stat(int(after[1]), sum(int(part) for part in after[11:15]) / _TICKS)
