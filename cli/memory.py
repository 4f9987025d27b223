"""How much memory processes took at most, from the kernel's own account (Linux)."""

from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")


def peak_memory(pids: Iterable[int]) -> int | None:
    """Bytes: the sum of each process's peak resident set, children included.

    Pages that processes share are counted in each. None where the system does not tell.
    """
    if not (PROC / "self" / "status").exists():
        return None
    parents = _parents()
    wanted = set(pids)
    while grown := {pid for pid, parent in parents.items() if parent in wanted} - wanted:
        wanted |= grown
    return sum(_peak(pid) for pid in wanted)


def _parents() -> dict[int, int]:
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (value := _field(int(entry.name), "PPid")) is not None:
            found[int(entry.name)] = value
    return found


def _peak(pid: int) -> int:
    return (_field(pid, "VmHWM") or 0) * 1024


def _field(pid: int, name: str) -> int | None:
    """A number of `/proc/PID/status`; None when the process has ended."""
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return None
    prefix = f"{name}:"
    return next((int(line.split()[1]) for line in lines if line.startswith(prefix)), None)
