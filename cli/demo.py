"""`wif demo`: the whole service on embedded parts, on dossiers of people who do not exist."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import tr, trn
from routing.facts import DossierState

with lazy_imports():
    import simulator
    from cli import demo_pages, processes, progress, tables
    from cli import memory as cli_memory
    from config import settings
    from service import prepare, publish_rules
    from service import runtime as runtimes
    from store import deliveries, dossiers

if TYPE_CHECKING:
    from cli.processes import Fleet
    from service.runtime import Runtime
    from simulator import Simulator
    from store.deliveries import StoredDelivery
    from store.dossiers import DossierRecord


DOSSIERS = 300
PATIENCE_SECONDS = 100.0
LOOK_EVERY_SECONDS = 0.2
NEWCOMERS = 5


def demo(
    count: int = typer.Option(DOSSIERS, "--dossiers", min=1, max=20_000, help="How many."),
) -> None:
    """Run everything for a minute: poll, route, deliver into var/outbox, and show what went where.

    TPS is the bundled simulator, a developer's tool: nobody in it exists. Nothing is
    sent anywhere; messages are written as .eml files.
    """
    processes.refuse_without_graphql()
    made = runtimes.Runtime(demo_settings())
    with ExitStack() as stack:
        stack.callback(made.close)
        tps = simulator.Simulator(seed=1)
        tps.populate(list(publish_rules.configured_rules(made.settings).forms.values()), count)
        url = stack.enter_context(tps.serve()).url
        broker = stack.enter_context(processes.embedded_broker(made.settings.var_dir / "broker"))
        fleet = processes.Fleet(
            environment(made, url, tps.token, broker), made.settings.var_dir / "log"
        )
        stack.callback(fleet.stop)
        _play(Stage(made, tps, fleet))
        demo_pages.show_pages(made, tps, url)


@dataclass(frozen=True, slots=True)
class Stage:
    """What the demonstration plays with."""

    runtime: Runtime
    tps: Simulator
    fleet: Fleet


def demo_settings() -> settings.Settings:
    """Settings of a service of its own below `var/demo`: nothing that is set elsewhere counts."""
    folder = Path("var") / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in [name for name in os.environ if name.startswith(settings.PREFIX)]:
        del os.environ[name]
    os.environ[settings.DOTENV] = os.devnull
    return settings.read(
        var_dir=folder.absolute(),
        outbox_dir=Path("var").absolute() / "outbox",
        log_level="WARNING",
    )


def environment(made: Runtime, url: str, token: str, broker: str) -> Mapping[str, str]:
    """The settings of the demonstration as its processes read them."""
    return {
        settings.DOTENV: os.devnull,
        "WIF_TPS_URL": url,
        "WIF_TPS_TOKEN": token,
        # A minute's worth of polls every two seconds is more than a real server allows.
        "WIF_TPS_REQUESTS_PER_MINUTE": "100000",
        "WIF_BROKER_URL": broker,
        "WIF_VAR_DIR": str(made.settings.var_dir),
        "WIF_OUTBOX_DIR": str(made.settings.outbox),
        "WIF_LOG_LEVEL": "INFO",
        "WIF_POLL_INTERVAL": "2",
        "WIF_SCAN_INTERVAL": "4",
        "WIF_SWEEP_INTERVAL": "5",
    }


def _play(stage: Stage) -> None:
    out = tables.console()
    started_at = time.monotonic()
    prepare.prepare(stage.runtime)
    out.print(
        trn(
            "[bold]1.[/] {n} dossier waits in a simulated TPS ({procedures} procedures); "
            "worker, beat and an embedded broker start.",
            "[bold]1.[/] {n} dossiers wait in a simulated TPS ({procedures} procedures); "
            "worker, beat and an embedded broker start.",
            len(stage.tps),
            procedures=len(stage.tps.procedures),
        )
    )
    stage.fleet.start("worker", *processes.worker_command(2))
    stage.fleet.start("upkeep", *processes.upkeep_command())
    stage.fleet.start("beat", *processes.beat_command())
    first = _until(stage, lambda: _settled(stage), tr("everything is routed and delivered"))
    out.print(tr("   everything is routed and delivered after {first} s.", first=f"{first:.1f}"))
    second = _a_day_later(stage)
    out.print(
        tr(
            "[bold]2.[/] {people} people file, one dossier changes its département, and "
            "TPS is polled again: told after {second} s.",
            people=NEWCOMERS,
            second=f"{second:.1f}",
        )
    )
    memory = cli_memory.peak_memory(stage.fleet.pids())
    stage.fleet.stop()
    _report(stage, memory, time.monotonic() - started_at)


def _a_day_later(stage: Stage) -> float:
    moved = _somebody_who_moves(stage)
    if moved is not None:
        stage.tps.change(moved.number, department=_elsewhere(stage, moved))
    for procedure in stage.tps.procedures[:NEWCOMERS]:
        stage.tps.add(procedure)

    def told() -> bool:
        return _settled(stage) and (moved is None or _reassigned(stage, moved))

    return _until(stage, told, tr("the newcomers and the move are delivered"))


def _somebody_who_moves(stage: Stage) -> DossierRecord | None:
    return next(
        (
            dossier
            for dossier in _dossiers(stage)
            if dossier.rule is not None
            and not dossier.unrouted
            and dossier.facts is not None
            and dossier.facts.state is DossierState.INITIATED
        ),
        None,
    )


def _elsewhere(stage: Stage, moved: DossierRecord) -> str:
    rules = stage.runtime.rules()
    return next(
        unit.departments[0]
        for unit in rules.units.values()
        if unit.departments and unit.code not in moved.assignment.units
    )


def _reassigned(stage: Stage, moved: DossierRecord) -> bool:
    with stage.runtime.database.read() as connection:
        found = deliveries.listing(connection, deliveries.Filter(number=moved.number))
    return sum(item.event.startswith("reassigned") and item.state == "sent" for item in found) > 1


def _settled(stage: Stage) -> bool:
    """Whether every dossier of the simulator is routed or set aside, and every message sent."""
    with stage.runtime.database.read() as connection:
        known = dossiers.counts(connection)
        made = deliveries.counts(connection)
    waiting = made.get(deliveries.DeliveryState.PENDING, 0) + made.get(
        deliveries.DeliveryState.SENDING, 0
    )
    return _placed(known) == len(stage.tps) and waiting == 0


def _placed(known: Mapping[str, int]) -> int:
    """How many dossiers are routed or set aside."""
    return sum(
        known.get(status, 0)
        for status in (dossiers.DossierStatus.ROUTED, dossiers.DossierStatus.QUARANTINED)
    )


def _until(stage: Stage, done: Callable[[], bool], what: str) -> float:
    started_at = time.monotonic()
    with progress.bars() as bars:
        _wait(stage, done, what, bars)
    return time.monotonic() - started_at


def _wait(stage: Stage, done: Callable[[], bool], what: str, bars: progress.Bars) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not done():
        with stage.runtime.database.read() as connection:
            bars.show("dossiers", _placed(dossiers.counts(connection)), len(stage.tps))
        if time.monotonic() > give_up_at:
            log = stage.runtime.settings.var_dir / "log"
            raise CommandError(
                tr(
                    "not within {seconds} s: {what}; see {log}",
                    seconds=f"{PATIENCE_SECONDS:.0f}",
                    what=what,
                    log=log,
                )
            )
        time.sleep(LOOK_EVERY_SECONDS)


def _dossiers(stage: Stage) -> Sequence[DossierRecord]:
    with stage.runtime.database.read() as connection:
        return dossiers.listing(connection)


def _report(stage: Stage, memory: int | None, seconds: float) -> None:
    known = _dossiers(stage)
    with stage.runtime.database.read() as connection:
        made = deliveries.listing(connection, deliveries.Filter())
    _show_units(known)
    _show_aside(known)
    _show_events(made)
    out = tables.console()
    copies = len(made) - len({_told(item) for item in made})
    peak = (
        ""
        if memory is None
        else tr(" Peak memory of the service: {memory} MB.", memory=f"{memory / 2**20:.0f}")
    )
    out.print(
        tr(
            "Told twice: {copies}. The whole took {seconds} s.{peak}",
            copies=copies,
            seconds=f"{seconds:.0f}",
            peak=peak,
        )
    )
    out.print(
        tr("The messages are in {folder}", folder=_near(stage.runtime.settings.outbox)),
        soft_wrap=True,
    )


def _told(item: StoredDelivery) -> tuple[object, ...]:
    return (item.procedure, item.number, item.event, item.unit, item.channel, item.assignment)


def _near(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _show_units(known: Sequence[DossierRecord]) -> None:
    counted = Counter(
        (unit, dossier.facts.permit_type if dossier.facts else None)
        for dossier in known
        for unit in dossier.assignment.units
    )
    types = sorted({kind or "" for _, kind in counted})
    units = sorted({unit for unit, _ in counted})
    rows = [
        [unit, *(counted[unit, kind or None] or "" for kind in types), _sum(counted, unit)]
        for unit in units
    ]
    titles = [kind.replace("-", "-\n") or tr("unknown") for kind in types]
    tables.show_table(tr("Routed dossiers by unit and permit type"), ["unit", *titles, "all"], rows)


def _sum(counted: Counter[tuple[str, str | None]], unit: str) -> int:
    return sum(count for (told, _), count in counted.items() if told == unit)


def _show_aside(known: Sequence[DossierRecord]) -> None:
    aside = Counter(
        ("unrouted" if dossier.unrouted else dossier.status.value, dossier.reason or reason)
        for dossier in known
        if dossier.unrouted or dossier.status is not dossiers.DossierStatus.ROUTED
        for reason in dossier.reasons[-1:] or ("",)
    )
    rows = [[queue, reason, count] for (queue, reason), count in sorted(aside.items())]
    tables.show_table(
        tr("Not routed to a competent unit, and why"), ["queue", "reason", "dossiers"], rows
    )


def _show_events(made: Sequence[StoredDelivery]) -> None:
    events = Counter((item.event, item.state) for item in made)
    rows = [[event, state, count] for (event, state), count in sorted(events.items())]
    tables.show_table(tr("Messages"), ["event", "state", "messages"], rows)
