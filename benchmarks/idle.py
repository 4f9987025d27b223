"""What polling costs when nothing is new, and what a full scan costs."""

import resource
import time

from sqlalchemy import update

from benchmarks.parts import Parts, configured_forms, simulated_tps, smtp_sink
from benchmarks.result import Figure, Result
from benchmarks.service import Service, service, vacuum
from benchmarks.usage import resident_bytes
from routing.forms import TpsApi
from service.poll import PollOutcome, poll
from service.register import polled_procedures
from store.models import Dossier

ROWS_OF_A_REQUEST = {TpsApi.V1: 1000, TpsApi.V2: 100}
MEGABYTE = 2**20


def run(parts: Parts, *, dossiers: int, api: TpsApi = TpsApi.V1) -> Result:
    """A tick and a scan over `dossiers` that are all known, by a version of the API."""
    with (
        simulated_tps(parts.folder) as tps,
        smtp_sink(parts.folder) as sink,
        service(parts, sink, tps=tps, name="idle", tps_api=api.value) as ours,
    ):
        forms = configured_forms()
        tps.file(forms, dossiers)
        _poll_all(ours, full=True)
        _settle(ours)
        _poll_all(ours, full=True)
        asked, started_at = tps.requests(), time.monotonic()
        _poll_all(ours, full=False)
        tick, seconds = tps.requests() - asked, time.monotonic() - started_at
        asked, resident, scanning_at = tps.requests(), _peak(), time.monotonic()
        _poll_all(ours, full=True)
        scan, grown = tps.requests() - asked, _peak() - resident
        scanned = time.monotonic() - scanning_at
    needed = sum(-(-part // ROWS_OF_A_REQUEST[api]) for part in _shares(dossiers, len(forms)))
    return Result(
        "idle" if api is TpsApi.V1 else f"idle-{api}",
        [
            Figure(
                name="requests of a tick, for each procedure",
                value=tick / len(forms),
                unit="requests",
                goal=1.0,
            ),
            Figure(
                name="requests of a scan over those that its rows need",
                value=(scan - len(forms)) / needed,
                unit="x",
                goal=1.0,
                note="the tick before it left out",
            ),
            Figure(name="memory that a scan adds", value=grown / MEGABYTE, unit="MB", goal=10.0),
        ],
        {"dossiers": dossiers, "tick_seconds": seconds, "scan_seconds": scanned},
    )


def _poll_all(ours: Service, *, full: bool) -> None:
    for number in polled_procedures(ours.runtime):
        outcome = poll(ours.runtime, number, full=full).outcome
        if outcome is not PollOutcome.DONE:
            raise RuntimeError(f"procedure {number}: {outcome}")


def _settle(ours: Service) -> None:
    """As if all had been routed: nothing is due."""
    with ours.runtime.database.begin() as connection:
        routed = {"status": "routed", "state": "initiated", "next_attempt_at": None}
        connection.execute(update(Dossier).values(**routed))
    vacuum(ours.runtime.database)


def _shares(count: int, parts: int) -> list[int]:
    return [count // parts + (turn < count % parts) for turn in range(parts)]


def _peak() -> int:
    """The most memory that this process ever had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return max(peak, resident_bytes(0))
