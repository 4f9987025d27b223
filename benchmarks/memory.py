"""Whether the memory of workers grows with what they have done."""

import threading
from collections.abc import Callable
from statistics import median

from benchmarks.parts import Parts, configured_forms, simulated_tps, smtp_sink, wait_until
from benchmarks.result import Figure, Result
from benchmarks.service import Service, service
from benchmarks.throughput import PATIENCE
from benchmarks.usage import resident_bytes

MEGABYTE = 2**20
GROWTH = 10.0
"""Megabytes by which a worker may grow after it has warmed up."""

EVERY_SECONDS = 0.5
WARM_UP = 0.25
"""The share of a run after which caches are full."""


def run(parts: Parts, *, dossiers: int) -> Result:
    """Watch the processes of a worker over `dossiers`."""
    with (
        simulated_tps(parts.folder) as tps,
        smtp_sink(parts.folder, "memory-sink") as sink,
        service(parts, sink, tps=tps, name="memory") as ours,
    ):
        tps.file(configured_forms(), dossiers, every_seconds=60)
        ours.start_beat()
        ours.start_worker()
        samples = _watched(ours, lambda: wait_until(sink, dossiers, patience=PATIENCE))
    grown = max(_growth(sizes) for sizes in samples.values())
    peak = sum(max(sizes) for sizes in samples.values())
    return Result(
        "memory",
        [
            Figure(
                name="growth of a worker's process",
                value=grown / MEGABYTE,
                unit="MB",
                goal=GROWTH,
                note=f"over {dossiers:,} dossiers, the first quarter left out",
            ),
            Figure(name="peak of the worker's processes", value=peak / MEGABYTE, unit="MB"),
        ],
        {"dossiers": dossiers},
    )


def _watched(ours: Service, work: Callable[[], None]) -> dict[int, list[int]]:
    """The resident memory of each process of the worker while `work` goes on."""
    pool, done = ours.pool(), threading.Event()
    samples: dict[int, list[int]] = {pid: [] for pid in pool}

    def watch() -> None:
        while not done.wait(EVERY_SECONDS):
            for pid in pool:
                samples[pid].append(resident_bytes(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        ours.begin()
        work()
    finally:
        done.set()
        watcher.join()
    return samples


def _growth(sizes: list[int]) -> float:
    """Bytes between what a process had after its warm-up and what it had at the end."""
    warm = sizes[int(len(sizes) * WARM_UP) :]
    few = max(1, len(warm) // 10)
    return median(warm[-few:]) - median(warm[:few])
