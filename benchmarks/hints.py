"""A flood of hints, half of them nonsense: answers, requests to TPS, memory, and what is lost."""

import asyncio
import itertools
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

from benchmarks.memory import MEGABYTE
from benchmarks.parts import (
    Parts,
    Sink,
    Tps,
    configured_forms,
    first_line,
    simulated_tps,
    smtp_sink,
    started,
    wait_until,
)
from benchmarks.result import Figure, Result
from benchmarks.service import Service, service
from benchmarks.usage import cpu_seconds, resident_bytes
from cli.processes import wif_command
from config.settings import PREFIX

RATE = 200
"""Hints a second."""

KNOWN = 300
"""Dossiers that were told of before; a quarter of the hints is about them."""

NEWCOMERS_EVERY_SECONDS = 0.5
ANSWER_MILLISECONDS = 100.0
TOLD_SECONDS = 2.0
SINGLE = 20
"""Hints one after the other, each about a new dossier, while workers are idle."""

STORED = 204
PATIENCE = 120.0
NOBODYS = 10**12
"""Numbers from here on are nobody's."""


@dataclass
class Flood:
    """What was answered.

    Attributes:
        seconds: until each answer, of those who know the secret.
        statuses: how often each status was answered; 0 for a connection that was cut.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class Web:
    """A running `wif serve`."""

    host: str
    port: int
    path: str
    pid: int


def run(parts: Parts, *, seconds: int) -> Result:
    """Send `RATE` hints a second."""
    with (
        simulated_tps(parts.folder) as tps,
        smtp_sink(parts.folder, "hints-sink") as sink,
        # Only hints make polls due: what is told was found by one of them.
        service(parts, sink, tps=tps, name="hints", poll_interval="3600") as ours,
        _web(ours) as web,
    ):
        known = tps.file(configured_forms(), KNOWN)
        ours.start_beat()
        ours.start_worker()
        ours.begin()
        wait_until(sink, KNOWN, patience=PATIENCE)
        waits = [_tell_one(tps, sink, web, KNOWN + turn) for turn in range(SINGLE)]
        before = tps.requests(), resident_bytes(web.pid), cpu_seconds([web.pid])
        flood, filed = asyncio.run(_flood(tps, web, known, seconds))
        asked, grown = tps.requests() - before[0], resident_bytes(web.pid) - before[1]
        worked = cpu_seconds([web.pid]) - before[2]
        wait_until(sink, KNOWN + SINGLE + filed, patience=PATIENCE)
        _, told = sink.accepted()
    lost = KNOWN + SINGLE + filed - told
    return _result(flood, waits, asked, grown, worked, lost, seconds)


def _result(
    flood: Flood,
    waits: Sequence[float],
    asked: int,
    grown: int,
    worked: float,
    lost: int,
    seconds: int,
) -> Result:
    cuts = quantiles(flood.seconds, n=100)
    sent = sum(flood.statuses.values())
    return Result(
        "hints",
        [
            Figure(
                name="answer, 99 of 100",
                value=cuts[98] * 1000,
                unit="ms",
                goal=ANSWER_MILLISECONDS,
                note=f"{sent / seconds:.0f} hints a second for {seconds} s, half of them nonsense",
            ),
            Figure(name="answer, half", value=cuts[49] * 1000, unit="ms"),
            Figure(name="processor time of a hint", value=worked / sent * 1000, unit="ms"),
            Figure(
                name="from a hint to the office's mail, half",
                value=median(waits),
                unit="s",
                goal=TOLD_SECONDS,
                note=f"workers idle; longest of {len(waits)}: {max(waits):.2f} s",
            ),
            Figure(name="requests to TPS a second", value=asked / seconds, unit="1/s"),
            Figure(name="growth of the web process", value=grown / MEGABYTE, unit="MB"),
            Figure(name="new dossiers that nobody was told of", value=lost, unit="", goal=0),
        ],
        {"statuses": dict(sorted(flood.statuses.items()))},
    )


@contextmanager
def _web(ours: Service) -> Iterator[Web]:
    path = secrets.token_hex(16)
    more = {
        "WEB_ADDRESS": "127.0.0.1:0",
        "WEB_PRIVATE_ADDRESS": "127.0.0.1:0",
        "HINT_SECRET": path,
    }
    environment = {**ours.environment, **{f"{PREFIX}{name}": more[name] for name in more}}
    log = ours.folder / "web.log"
    with started(*wif_command("serve"), log=log, env=environment) as process:
        parts = urlsplit(first_line(process, log).removeprefix("public: "))
        yield Web(parts.hostname or "", parts.port or 0, f"/hints/{path}", process.pid)


def _tell_one(tps: Tps, sink: Sink, web: Web, told: int) -> float:
    """Seconds from a hint about a new dossier until its office's mail was accepted."""
    forms = configured_forms()
    form = forms[told % len(forms)]
    (number,) = tps.file([form], 1)
    started_at = time.monotonic()
    asyncio.run(_post(web, _form(form["procedure"], number)))
    wait_until(sink, told + 1, patience=PATIENCE)
    return time.monotonic() - started_at


async def _flood(tps: Tps, web: Web, known: range, seconds: int) -> tuple[Flood, int]:
    """Everything that was answered, and how many dossiers were filed and hinted at meanwhile."""
    flood = Flood()
    forms = configured_forms()
    until = time.monotonic() + seconds
    newcomers = asyncio.create_task(_newcomers(tps, web, forms, until, flood))
    tasks: set[asyncio.Task[int]] = set()
    started_at = time.monotonic()
    for turn in itertools.count():
        await asyncio.sleep(max(0.0, started_at + turn / RATE - time.monotonic()))
        if time.monotonic() >= until:
            break
        procedure = forms[turn % len(forms)]["procedure"]
        body = _nonsense(procedure) if turn % 2 else _known_form(forms, known)
        task = asyncio.create_task(_timed(web, body, flood))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return flood, await newcomers


async def _newcomers(
    tps: Tps, web: Web, forms: list[dict[str, Any]], until: float, flood: Flood
) -> int:
    filed = 0
    while time.monotonic() < until:
        form = forms[filed % len(forms)]
        (number,) = await asyncio.to_thread(tps.file, [form], 1)
        # Sent again where it was not taken: the poll that would find it is an hour away here.
        while await _timed(web, _form(form["procedure"], number), flood) != STORED:
            await asyncio.sleep(NEWCOMERS_EVERY_SECONDS)
        filed += 1
        await asyncio.sleep(NEWCOMERS_EVERY_SECONDS)
    return filed


def _known_form(forms: list[dict[str, Any]], known: range) -> tuple[str, bytes]:
    """A hint about a dossier that was told of: they were filed through the forms in turn."""
    place = random.randrange(len(known))
    return _form(forms[place % len(forms)]["procedure"], known[place])


def _form(procedure: int, number: int) -> tuple[str, bytes]:
    """Which path, and which body."""
    body = f"procedure_id={procedure}&dossier_id={number}&state=en_construction&updated_at=now"
    return "", body.encode()


def _nonsense(procedure: int) -> tuple[str, bytes]:
    """Another secret, no form at all, a form without numbers, a dossier that nobody has."""
    return random.choice(
        (
            ("x", _form(procedure, 1)[1]),
            ("", secrets.token_bytes(500)),
            ("", b"procedure_id=x&dossier_id=y"),
            _form(procedure, NOBODYS + random.randrange(1000)),
        )
    )


async def _timed(web: Web, sent: tuple[str, bytes], flood: Flood) -> int:
    started_at = time.monotonic()
    status = await _post(web, sent)
    flood.statuses[status] += 1
    if not sent[0]:
        flood.seconds.append(time.monotonic() - started_at)
    return status


async def _post(web: Web, sent: tuple[str, bytes]) -> int:
    """The status of the answer. TPS opens a connection for each hint."""
    suffix, body = sent
    try:
        reader, writer = await asyncio.open_connection(web.host, web.port)
    except OSError:
        return 0
    writer.write(
        f"POST {web.path}{suffix} HTTP/1.1\r\nHost: web\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    try:
        line = await reader.readline()
    except OSError:
        return 0
    finally:
        writer.close()
    words = line.split()
    return int(words[1]) if len(words) > 1 else 0
