"""How long the service takes for what waits at its start, by each version of TPS's API."""

from dataclasses import asdict

from benchmarks.parts import Parts, configured_forms, simulated_tps
from benchmarks.result import Figure, Result
from benchmarks.throughput import Run, run_service
from routing.forms import TpsApi


def run(parts: Parts, *, dossiers: int) -> Result:
    """From the first poll to the last mail, by v1 and by v2, each on a TPS of its own."""
    runs = {api: _run(parts, dossiers, api) for api in TpsApi}
    v1, v2 = runs[TpsApi.V1], runs[TpsApi.V2]
    return Result(
        "catch-up",
        [
            *(figure for api, each in runs.items() for figure in _figures(api, each)),
            Figure(
                name="wall time by v2 over that by v1",
                value=v2.seconds / v1.seconds,
                unit="x",
                note=f"{dossiers:,} dossiers; the simulated TPS executes GraphQL in Python",
            ),
            Figure(
                name="the service's processor time by v2 over that by v1",
                value=v2.cpu_each("own") / v1.cpu_each("own"),
                unit="x",
            ),
        ],
        {api.value: asdict(each) for api, each in runs.items()},
    )


def _run(parts: Parts, dossiers: int, api: TpsApi) -> Run:
    with simulated_tps(parts.folder) as tps:
        tps.file(configured_forms(), dossiers)
        return run_service(parts, tps, dossiers, api=api)


def _figures(api: TpsApi, run: Run) -> list[Figure]:
    return [
        Figure(
            name=f"requests of a dossier by {api}",
            value=(run.requests or 0) / run.count,
            unit="requests",
            note="those of the lists included",
        ),
        Figure(name=f"wall time by {api}", value=run.seconds, unit="s"),
        Figure(
            name=f"processor time of a dossier by {api}",
            value=run.cpu_each("own", "postgres", "redis"),
            unit="ms",
            note=f"service, PostgreSQL and Redis; TPS takes {run.cpu_each('tps'):.2f}",
        ),
    ]
