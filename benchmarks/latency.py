"""How soon an office is told of a dossier while a backlog is being worked off."""

import time
from collections.abc import Callable
from statistics import quantiles
from typing import Any

from sqlalchemy import func, select

from benchmarks.parts import Parts, Sink, Tps, configured_forms, simulated_tps, smtp_sink
from benchmarks.result import Figure, Result
from benchmarks.service import Service, service
from connectors.mail.message import message_key
from routing.forms import TpsApi
from routing.mailbox import Mailbox
from store.base import Base
from store.models import Delivery, Dossier

RATE = 20
"""New dossiers a second."""

MEDIAN_SECONDS, P99_SECONDS = 1.0, 5.0
PATIENCE = 300.0


def run(parts: Parts, *, backlog: int, seconds: int, api: TpsApi = TpsApi.V1) -> Result:
    """File `RATE` dossiers a second for some seconds while `backlog` is worked off.

    Args:
        parts: what it works with.
        backlog: dossiers that are there before.
        seconds: for which newcomers are filed.
        api: the version by which TPS is read.
    """
    with simulated_tps(parts.folder) as tps:
        with smtp_sink(parts.folder, "latency-sink") as sink:
            listed = _work_off(parts, tps, sink, backlog, seconds, api)
        accepted = {key: min(times) for key, times in sink.report()["messages"].items()}
    # Later ones had the service for themselves, and would make the figures look better.
    worked_off_at = max(at for key, at in accepted.items() if key not in listed)
    waits = [accepted[key] - at for key, at in listed.items() if at < worked_off_at]
    cuts = quantiles(waits, n=100)
    note = f"{len(waits)} of {len(listed)} newcomers came while {backlog:,} were worked off"
    return Result(
        "latency" if api is TpsApi.V1 else f"latency-{api}",
        [
            Figure(name="median", value=cuts[49], unit="s", goal=MEDIAN_SECONDS, note=note),
            Figure(name="99th percentile", value=cuts[98], unit="s", goal=P99_SECONDS),
            Figure(name="longest", value=max(waits), unit="s"),
        ],
        {"backlog": backlog, "newcomers": len(listed), "during_backlog": len(waits)},
    )


def _work_off(
    parts: Parts, tps: Tps, sink: Sink, backlog: int, seconds: int, api: TpsApi
) -> dict[str, float]:
    """When each newcomer was listed, by its Message-ID."""
    forms = configured_forms()
    last = max(tps.file(forms, backlog, every_seconds=60))
    polling = {"poll_interval": "4", "tps_api": api.value}
    with service(parts, sink, tps=tps, name="latency", **polling) as ours:
        ours.start_beat()
        ours.start_worker()
        ours.begin()
        _wait_for(lambda: _count(ours, Dossier) >= backlog)
        newcomers = _file(tps, forms, seconds)
        _wait_for(lambda: _sent(ours, after=0) >= backlog + newcomers)
        ours.stop()
        return _listed(ours, after=last)


def _file(tps: Tps, forms: list[dict[str, Any]], seconds: int) -> int:
    """Let dossiers be filed through the forms in turn at the rate; how many there were."""
    count = RATE * seconds
    started_at = time.monotonic()
    for turn in range(count):
        time.sleep(max(0.0, started_at + turn / RATE - time.monotonic()))
        tps.file([forms[turn % len(forms)]], 1)
    return count


def _wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {PATIENCE:.0f} s")
        time.sleep(0.2)


def _count(ours: Service, model: type[Base]) -> int:
    with ours.runtime.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(model)).scalar_one())


def _sent(ours: Service, *, after: int) -> int:
    """Messages sent of dossiers with a higher number than `after`."""
    query = select(func.count()).where(Delivery.state == "sent", Delivery.number > after)
    with ours.runtime.database.read() as connection:
        return int(connection.execute(query).scalar_one())


def _listed(ours: Service, *, after: int) -> dict[str, float]:
    """When the newcomers were listed, in seconds of the clock, by the ids of their messages."""
    same = (Dossier.procedure == Delivery.procedure) & (Dossier.number == Delivery.number)
    key = (Delivery.procedure, Delivery.number, Delivery.event, Delivery.unit)
    columns = (Dossier.seen_at, *key, Delivery.channel, Delivery.assignment)
    query = select(*columns).join(Dossier, same).where(Delivery.number > after)
    domain = Mailbox.parse(ours.runtime.settings.mail_from).domain
    with ours.runtime.database.read() as connection:
        return {
            f"<{message_key('.'.join(map(str, parts)))}@{domain}>": seen_at.timestamp()
            for seen_at, *parts in connection.execute(query)
        }
