"""`wif up` and `wif run-once`: the service in the foreground, and one pass of it."""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.lazy import lazy_imports
from config.messages import joined, mark, tr, trn

with lazy_imports():
    import sqlalchemy

    from cli import context, processes, progress, status, tables
    from connectors.channels import DEFAULT_CHANNEL
    from service import register, run_once
    from store import engine, first_contact, overview

if TYPE_CHECKING:
    from config.settings import Settings
    from routing.ruleset import RuleSet
    from service.run_once import PassReport
    from service.runtime import Runtime
    from store.engine import Database
    from store.first_contact import FirstContact
    from store.overview import Overview


STAGES = {
    "poll": mark("procedures polled"),
    "route": mark("dossiers routed"),
    "deliver": mark("messages sent"),
}
"""What the bars of a pass say of each stage."""


COUNTS = {
    "procedures": mark("procedures polled"),
    "polls_failed": mark("polls that failed"),
    "rows_malformed": mark("rows that cannot be read"),
    "new": mark("new dossiers"),
    "changed": mark("changed dossiers"),
    "routed": mark("dossiers routed"),
    "unrouted": mark("dossiers without a competent unit"),
    "recorded_only": mark("dossiers recorded without telling anybody"),
    "quarantined": mark("dossiers quarantined"),
    "held": mark("dossiers held"),
    "gone": mark("dossiers gone from TPS"),
    "not_read": mark("dossiers not read yet"),
    "sent": mark("messages sent"),
    "retried": mark("messages tried again later"),
    "dead": mark("messages given up"),
}
"""What the table of a pass calls each count."""


def up(
    flower: Annotated[bool, typer.Option("--flower", help="Run Flower on loopback too.")] = False,
    flower_port: Annotated[int, typer.Option(help="Port of Flower.")] = 5555,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; by default three for two cores.")
    ] = None,
) -> None:
    """Run worker, beat and, if asked, Flower in the foreground until told to stop.

    The broker is embedded unless WIF_BROKER_URL is set; the database is SQLite unless
    WIF_DATABASE_URL is set. Production needs both.
    """
    context.settings().require_broker()
    with context.runtime(migrate=True) as runtime:
        runtime.rules()
        _ = runtime.tps
        settings, started_at = runtime.settings, runtime.clock()
        several = uses_other_channels(settings, runtime.rules())
        register.register_procedures(runtime)
    with ExitStack() as stack:
        environment: dict[str, str] = {}
        if settings.broker_url is None:
            folder = settings.var_dir / "broker"
            environment["WIF_BROKER_URL"] = stack.enter_context(processes.embedded_broker(folder))
            typer.echo(tr("broker: embedded"))
        fleet = processes.Fleet(environment)
        fleet.stop_on_signals()
        stack.callback(fleet.stop)
        fleet.start("worker", *processes.worker_command(concurrency))
        if several:
            fleet.start("channels", *processes.channels_command())
        fleet.start("upkeep", *processes.upkeep_command())
        fleet.start("beat", *processes.beat_command())
        if flower:
            login = f"wif:{secrets.token_urlsafe(16)}"
            fleet.start("flower", *processes.flower_command(flower_port), FLOWER_BASIC_AUTH=login)
            typer.echo(
                tr(
                    "flower: http://127.0.0.1:{port} login {login}",
                    port=flower_port,
                    login=login,
                )
            )
        typer.echo(tr("up (process {process}); Ctrl-C stops it", process=os.getpid()))
        news = FirstContactNews(engine.Database(settings.database), started_at)
        stack.callback(news.close)
        fleet.watch(news.look)


def uses_other_channels(settings: Settings, rules: RuleSet) -> bool:
    """Whether there is work in the queues of other channels than the first, or may come."""
    kinds = {channel.kind for unit in rules.units.values() for channel in unit.channels}
    prepared = settings.webhook_secrets is not None or settings.tps_write_back
    return prepared or bool(kinds - {DEFAULT_CHANNEL})


class FirstContactNews:
    """Says once how many of the dossiers that were already there are told, and how many not.

    Args:
        database: of the service.
        since: when the service started.
    """

    def __init__(self, database: Database, since: datetime) -> None:
        self._database = database
        self._since = since
        self._over = self._seen().unlisted == 0

    def look(self) -> None:
        """Look whether there is something to say; a database that is away is asked later."""
        if self._over:
            return
        with suppress(sqlalchemy.exc.SQLAlchemyError):
            seen = self._seen()
            if seen.is_over:
                self._over = True
                typer.echo(first_contact_line(told=seen.told, recorded=seen.recorded))

    def close(self) -> None:
        """Give back the connection."""
        self._database.close()

    def _seen(self) -> FirstContact:
        with self._database.read() as connection:
            return first_contact.first_contact(connection, self._since)


def first_contact_line(*, told: int, recorded: int) -> str:
    """What is said of dossiers that were there before."""
    return tr(
        "first contact: {told}, {recorded} (decided before, or filed before `notify_since`)",
        told=trn(
            "{n} dossier is told to its office", "{n} dossiers are told to their office", told
        ),
        recorded=trn("{n} is only recorded", "{n} are only recorded", recorded),
    )


def run_once_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Poll, route and deliver once in this process, without a broker; for cron and trials.

    Exits 0 only if nothing failed.
    """
    with context.runtime(migrate=True) as runtime:
        with progress.bars() as bars:
            report = run_once.run_once(
                runtime, progress=lambda stage, done: bars.add(tr(STAGES[stage]), done)
            )
        with runtime.database.read() as connection:
            seen = overview.overview(connection)
        rows = list(_rows(report))
        if as_json:
            context.show_json({**dict(rows), "needy": seen.needy})
        else:
            shown = [(tr(COUNTS[name]), count) for name, count in rows]
            tables.show_table(tr("One pass"), ("what", "count"), shown)
            _show_trouble(runtime, report, seen)
    if report.failures:
        context.tell(tr("exit code 1: {names}", names=_unwell(report)))
        raise typer.Exit(1)


_UNWELL = frozenset(
    {"polls_failed", "rows_malformed", "quarantined", "held", "not_read", "retried", "dead"}
)
"""What of a pass a person should look at."""


def _unwell(report: PassReport) -> str:
    """What of a pass did not go well, with its numbers."""
    found = ((name, count) for name, count in _rows(report) if name in _UNWELL and count)
    return joined((joined((tr(name), f" {count}"), "") for name, count in found), ", ")


def _rows(report: PassReport) -> list[tuple[str, int]]:
    routing, delivery = report.routing, report.delivery
    return [
        ("procedures", len(report.polls)),
        ("polls_failed", sum(poll.cause is not None for poll in report.polls.values())),
        ("rows_malformed", sum(poll.malformed for poll in report.polls.values())),
        ("new", sum(poll.new for poll in report.polls.values())),
        ("changed", sum(poll.changed for poll in report.polls.values())),
        ("routed", routing.routed),
        ("unrouted", routing.unrouted),
        ("recorded_only", routing.recorded),
        ("quarantined", routing.quarantined),
        ("held", routing.held),
        ("gone", routing.gone),
        ("not_read", routing.given_back),
        ("sent", delivery.sent),
        ("retried", delivery.retried),
        ("dead", delivery.dead),
    ]


def _show_trouble(runtime: Runtime, report: PassReport, seen: Overview) -> None:
    if report.routing.recorded:
        routing = report.routing
        told = routing.routed + routing.unrouted - routing.recorded
        typer.echo(first_contact_line(told=told, recorded=routing.recorded))
    failed: dict[str, list[int]] = {}
    for number, poll in report.polls.items():
        if poll.cause:
            failed.setdefault(poll.cause, []).append(number)
    if failed:
        rows = [
            (cause, len(numbers), status.in_short(numbers)) for cause, numbers in failed.items()
        ]
        tables.show_table(tr("Polls that failed"), ("cause", "count", "procedures"), rows)
    named = {number for numbers in failed.values() for number in numbers}
    status.show_needy([each for each in seen.needy if each.procedure not in named])
    if runtime.settings.smtp_url is None:
        typer.echo(tr("messages are in {outbox}", outbox=runtime.settings.outbox))
