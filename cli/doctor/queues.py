"""What `wif doctor` says of the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.command_error import CommandError
from cli.doctor.finding import Advice
from cli.lazy import lazy_imports
from config.messages import tr

with lazy_imports():
    from cli import tables
    from service import consumers, publish_rules
    from store import heartbeats, procedures, schema

if TYPE_CHECKING:
    from service.runtime import Runtime


def check_queues(runtime: Runtime) -> str:
    """Whether a worker takes each queue that gets work; workers on `upkeep` note who lives.

    Where `wif run-once` by cron is all, no worker is missed.
    """
    now = runtime.clock()
    never = tr("no worker was ever seen: `wif up`, or `wif worker` and `wif beat`, start them")
    if schema.is_empty(runtime.database):
        return never
    with runtime.database.read() as connection:
        pulses = heartbeats.listing(connection)
        polled_at = procedures.last_poll(connection)
    if not pulses and runtime.settings.broker_url is None and polled_at is not None:
        return tr(
            "no workers are used: no broker is set, and `wif run-once` does all; "
            "it last polled at {at}",
            at=tables.cell(polled_at),
        )
    observer = consumers.observer(pulses)
    if observer is None:
        raise Advice(never)
    if not observer.is_alive(now):
        raise Advice(
            tr(
                "no worker on `upkeep`, or no beat, since {at}: what else lives is not known; "
                "start `wif worker` and `wif beat`",
                at=tables.cell(observer.seen_at),
            )
        )
    wanted = consumers.needed(runtime.settings, publish_rules.configured_rules(runtime.settings))
    missing = ",".join(consumers.unserved(pulses, wanted, now))
    if missing:
        raise CommandError(
            tr("no worker takes {names}: start `wif worker --queues {names}`", names=missing)
        )
    return tr("a worker takes each of {names}", names=", ".join(wanted))
