"""What more hosts bring, and who then uses the processors.

Each host has one worker process; all share one PostgreSQL, one Redis, one TPS and one SMTP
server on another. Where no network namespaces can be made, the hosts are this machine.
"""

import sys
from collections.abc import Mapping

from benchmarks.hosts import HERE, SERVERS, Host, NoNamespacesError, hosts
from benchmarks.parts import LOOPBACK, Parts, configured_forms, parts, simulated_tps
from benchmarks.result import Figure, Result
from benchmarks.throughput import Run, run_service

HOSTS = (1, 2, 4)


def run(shared: Parts, *, dossiers: int) -> Result:
    """The same `dossiers` with 1, 2 and 4 hosts."""
    runs, note = _runs(shared, dossiers)
    alone = runs[HOSTS[0]]
    figures = [
        Figure(name=f"{count} hosts", value=run.count / run.seconds, unit="dossiers/s", note=note)
        for count, run in runs.items()
    ]
    figures += [
        Figure(name=f"{count} hosts over 1", value=alone.seconds / run.seconds, unit="x")
        for count, run in runs.items()
        if count > 1
    ]
    return Result("scale", figures, {str(count): _shares(run) for count, run in runs.items()})


def _runs(shared: Parts, dossiers: int) -> tuple[dict[int, Run], str]:
    try:
        with hosts(max(HOSTS)) as made, parts(shared.folder / "scale", host=SERVERS) as ours:
            return {
                count: _with(ours, dossiers, SERVERS, made[:count]) for count in HOSTS
            }, "each a network namespace with one worker process"
    except NoNamespacesError as error:
        print(f"scale: {error}; all on this host", file=sys.stderr)
    alone = {count: _with(shared, dossiers, LOOPBACK, [HERE] * count) for count in HOSTS}
    return alone, "workers on this host, with one process each: no network namespaces here"


def _with(ours: Parts, dossiers: int, address: str, chosen: list[Host]) -> Run:
    with simulated_tps(ours.folder, host=address) as tps:
        tps.file(configured_forms(), dossiers)
        return run_service(ours, tps, dossiers, processes=1, hosts=chosen)


def _shares(run: Run) -> Mapping[str, float]:
    """The share of the processor time that each part took, and how many cores were busy."""
    total = sum(run.cpu.values())
    shares = {part: round(seconds / total, 3) for part, seconds in run.cpu.items()}
    return {**shares, "cores_busy": round(total / run.seconds, 2)}
