"""How long the service takes for N dossiers, next to the floor on the same N."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import median

import psycopg

from benchmarks import floor
from benchmarks.hosts import HERE, Host
from benchmarks.parts import (
    ROOT,
    Parts,
    Tps,
    configured_forms,
    plain,
    simulated_tps,
    smtp_sink,
    wait_until,
)
from benchmarks.result import Figure, Result
from benchmarks.service import Service, service
from benchmarks.usage import cpu_seconds
from connectors.mail import render
from connectors.mail.content import write
from connectors.notice import Notice
from routing.assignment import Event
from routing.forms import TpsApi
from store import deliveries

GOAL = 1.5
"""Times the wall time of the floor."""

_NUMBER = 1_000_001
"""Of the dossier whose message the floor's templates are made of."""

PATIENCE = 90.0
"""Seconds without a single message after which a run has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one side took.

    Attributes:
        count: dossiers.
        seconds: wall time.
        cpu: seconds of processor time by who took them; `own` is the side's own processes.
        requests: that TPS was asked, None where they were not counted.
    """

    count: int
    seconds: float
    cpu: Mapping[str, float]
    requests: int | None = None

    @property
    def each(self) -> float:
        """Milliseconds of wall time for one dossier."""
        return self.seconds / self.count * 1000

    def cpu_each(self, *parts: str) -> float:
        """Milliseconds of processor time for one dossier, of `parts` or of all."""
        return sum(self.cpu[part] for part in parts or self.cpu) / self.count * 1000


def run(parts: Parts, *, dossiers: int, turns: int) -> Result:
    """Both sides in turn, several times; the median of the ratios pair by pair."""
    pairs = [compare(parts, dossiers) for _ in range(turns)]
    ours = ("own", "postgres", "redis")
    return Result(
        "throughput",
        [
            Figure(
                name="wall time over the floor",
                value=median(served.seconds / bare.seconds for bare, served in pairs),
                unit="x",
                goal=GOAL,
                note=f"{dossiers:,} dossiers, median of {turns}",
            ),
            Figure(
                name="processor time over the floor",
                value=median(served.cpu_each() / bare.cpu_each() for bare, served in pairs),
                unit="x",
                note="of all processes, TPS and SMTP included",
            ),
            Figure(
                name="processor time of a dossier",
                value=median(served.cpu_each(*ours) for _, served in pairs),
                unit="ms",
                note="service, PostgreSQL and Redis",
            ),
            Figure(
                name="processor time of a dossier, the floor's",
                value=median(bare.cpu_each(*ours) for bare, _ in pairs),
                unit="ms",
            ),
            Figure(
                name="dossiers a second",
                value=median(served.count / served.seconds for _, served in pairs),
                unit="1/s",
            ),
        ],
        {"runs": [{"floor": asdict(bare), "service": asdict(served)} for bare, served in pairs]},
    )


def compare(parts: Parts, count: int) -> tuple[Run, Run]:
    """The floor, then the service, on the same `count` dossiers.

    The floor has as many processes as there are cores, the service what it takes by itself.
    """
    with simulated_tps(parts.folder) as tps:
        forms = configured_forms()
        numbers = tps.file(forms, count)
        dossiers = [
            (forms[turn % len(forms)]["procedure"], number) for turn, number in enumerate(numbers)
        ]
        first = run_floor(parts, tps, dossiers, processes=os.cpu_count() or 1)
        return first, run_service(parts, tps, count)


def run_floor(
    parts: Parts, tps: Tps, dossiers: Sequence[tuple[int, int]], *, processes: int
) -> Run:
    """The floor on `dossiers`."""
    url = parts.databases.create()
    with psycopg.connect(plain(url)) as connection:
        connection.execute(floor.TABLE)
    with smtp_sink(parts.folder, "floor-sink") as sink:
        content = write(_notice())
        order = {
            "tps": tps.url,
            "token": tps.token,
            "database": plain(url),
            "smtp_port": sink.port,
            "text": _template(render.render_text(content)),
            "page": _template(render.render_html(content)),
            "dossiers": dossiers,
            "processes": processes,
        }
        others = {**parts.pids(), "tps": tps.pid, "smtp": sink.pid}
        before = _cpu(others)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.floor"],
            cwd=ROOT,
            input=json.dumps(order),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        cpu = _since(before, _cpu(others))
        _check_sent(sink.accepted(), len(dossiers))
    parts.databases.drop(url)
    seconds, own = json.loads(done.stdout)
    return Run(count=len(dossiers), seconds=seconds, cpu={**cpu, "own": own})


def run_service(
    parts: Parts,
    tps: Tps,
    count: int,
    *,
    processes: int | None = None,
    hosts: Sequence[Host] = (HERE,),
    api: TpsApi = TpsApi.V1,
) -> Run:
    """The service on the `count` dossiers of `tps`: from the first wake-up to the last commit.

    Args:
        parts: what it works with.
        tps: where the dossiers are.
        count: how many.
        processes: of the worker on each host; its default when None.
        hosts: each gets a worker.
        api: the version by which TPS is read.
    """
    with (
        smtp_sink(parts.folder, host=parts.broker.host) as sink,
        service(parts, sink, tps=tps, tps_api=api.value) as ours,
    ):
        # Beat first: all have started up when the workers answer.
        ours.start_beat()
        for number, host in enumerate(hosts):
            ours.start_worker(f"worker-{number}", processes=processes, host=host)
        pids = {**parts.pids(), "tps": tps.pid, "smtp": sink.pid}
        before, asked = {**_cpu(pids), "own": cpu_seconds(ours.pids())}, tps.requests()
        started_at = time.monotonic()
        ours.begin()
        wait_until(sink, count, patience=PATIENCE)
        _wait_for_commits(ours, count)
        seconds = time.monotonic() - started_at
        requests = tps.requests() - asked
        cpu = _since(before, {**_cpu(pids), "own": cpu_seconds(ours.pids())})
        _check_sent(sink.accepted(), count)
    return Run(count=count, seconds=seconds, cpu=cpu, requests=requests)


def _wait_for_commits(ours: Service, count: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with ours.runtime.database.read() as connection:
            if deliveries.counts(connection).get("sent", 0) >= count:
                return
        time.sleep(0.02)
    raise TimeoutError("deliveries were accepted and not finished")


def _check_sent(accepted: tuple[int, int], count: int) -> None:
    if accepted != (count, count):
        every, different = accepted
        raise RuntimeError(f"{every} messages, {different} different ones, for {count} dossiers")


def _cpu(pids: Mapping[str, int]) -> dict[str, float]:
    return {part: cpu_seconds([pid]) for part, pid in pids.items()}


def _since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {part: seconds - before[part] for part, seconds in after.items()}


def _template(body: str) -> str:
    """The body of a message about any dossier, as the floor has it: the number is filled in."""
    return body.replace(str(_NUMBER), "{{ number }}")


def _notice() -> Notice:
    """What one of the service's own messages says: the floor sends as much."""
    return Notice(
        event=Event.FILED,
        procedure=13760,
        number=_NUMBER,
        unit="UD075",
        unit_name="Unité départementale de Paris",
        permit_type="apprentissage",
        permit_label="Contrat d'apprentissage",
        department="75",
        department_name="Paris",
        filed_at=datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
        rule_why="L'autorisation de travail d'un étudiant relève du département de son titre.",
        reasons=(),
        routed=True,
        counterpart=None,
        dossier_url=f"https://tps.example/procedures/13760/dossiers/{_NUMBER}",
        key="floor",
    )
