"""What more worker processes bring, and what they wait for."""

from collections.abc import Mapping

from benchmarks.parts import Parts, configured_forms, simulated_tps
from benchmarks.result import Figure, Result
from benchmarks.throughput import Run, run_service

PROCESSES = (1, 2, 4)


def run(parts: Parts, *, dossiers: int) -> Result:
    """The same `dossiers` with 1, 2 and 4 worker processes."""
    runs = {count: _with(parts, dossiers, count) for count in PROCESSES}
    alone = runs[PROCESSES[0]]
    figures = [
        Figure(name=f"{count} processes", value=run.count / run.seconds, unit="dossiers/s")
        for count, run in runs.items()
    ]
    figures += [
        Figure(name=f"{count} processes over 1", value=alone.seconds / run.seconds, unit="x")
        for count, run in runs.items()
        if count > 1
    ]
    return Result("scale", figures, {str(count): _shares(run) for count, run in runs.items()})


def _with(parts: Parts, dossiers: int, processes: int) -> Run:
    with simulated_tps(parts.folder) as tps:
        tps.file(configured_forms(), dossiers)
        return run_service(parts, tps, dossiers, processes=processes)


def _shares(run: Run) -> Mapping[str, float]:
    """The share of the processor time that each part took, and how many cores were busy."""
    total = sum(run.cpu.values())
    shares = {part: round(seconds / total, 3) for part, seconds in run.cpu.items()}
    return {**shares, "cores_busy": round(total / run.seconds, 2)}
