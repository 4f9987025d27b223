"""`wif deliveries`: list, replay."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from cli.lists import AsCsv, AsJson, Limit, day_of, limit_of, one_of, refuse_unknown, show_rows
from config.messages import mark, tr, trn
from store.states import DeliveryState

with lazy_imports():
    from cli import context
    from config import diagnostics
    from connectors.channels import CHANNELS
    from store import deliveries
    from store.audit import log

if TYPE_CHECKING:
    from service.runtime import Runtime

app = typer.Typer(no_args_is_help=True, help="Deliveries: what was sent, waits, or is dead.")

Unit = Annotated[str | None, typer.Option(help="Only those to this unit.")]
Procedure = Annotated[int | None, typer.Option(help="Only those of this procedure.")]
Reason = Annotated[str | None, typer.Option(help="Only those with this reason code.")]

Channel = Annotated[
    str | None, typer.Option(help="Only those on this channel, such as mail or webhook.")
]

COLUMNS = (
    *("id", "procedure", "number", "event", "unit", "channel", "state", "attempts"),
    *("permit_type", "department", "reason", "age_days"),
)


@app.command("list")
def list_(
    state: Annotated[
        DeliveryState | None,
        typer.Option(help="Only those in this state.", **one_of(DeliveryState)),
    ] = None,
    unit: Unit = None,
    procedure: Procedure = None,
    reason: Reason = None,
    channel: Channel = None,
    since: Annotated[
        str | None, typer.Option(help="Only those queued on this day or later (Paris).")
    ] = None,
    limit: Limit = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List deliveries; `--state dead` shows those that wait for a person."""
    _refuse_unknown_channel(channel)
    queued = day_of("--since", since)
    wanted = deliveries.Filter(
        state=state, unit=unit, procedure=procedure, reason=reason, channel=channel, since=queued
    )
    most = limit_of(limit, whole=as_json or as_csv)
    with context.runtime() as runtime:
        now = runtime.clock()
        with runtime.database.read() as connection:
            found = deliveries.listing(connection, wanted, limit=most and most + 1)
        if not found:
            refuse_unknown(runtime, unit=unit, procedure=procedure, reason=reason)
    rows = [{**asdict(each), "age_days": (now - each.created_at).days} for each in found]
    title = trn("{n} delivery", "{n} deliveries", min(len(rows), most or len(rows)))
    show_rows(title, COLUMNS, rows, limit=most, as_json=as_json, as_csv=as_csv)


@app.command()
def replay(
    delivery: Annotated[int | None, typer.Argument(help="Id of one delivery.")] = None,
    unit: Unit = None,
    procedure: Procedure = None,
    reason: Reason = None,
    channel: Channel = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dead delivery.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make dead deliveries due again. Replaying one twice sends it once."""
    _refuse_unknown_channel(channel)
    wanted = deliveries.Filter(
        id=delivery, unit=unit, procedure=procedure, reason=reason, channel=channel
    )
    if wanted == deliveries.Filter() and not everything:
        raise CommandError(
            tr("say which: an id, --unit, --procedure, --reason, --channel or --all"), code=2
        )
    with context.runtime() as runtime:
        now = runtime.clock()
        with runtime.database.begin() as connection:
            revived = deliveries.replay(connection, wanted, now)
            runtime.audit.append(
                connection,
                now,
                [
                    log.AuditEntry(
                        step=log.Step.REPLAYED,
                        procedure=p,
                        number=n,
                        event=event,
                        unit=told,
                        actor=runtime.actor,
                    )
                    for p, n, event, told in revived
                ],
            )
        if not revived:
            refuse_unknown(runtime, unit=unit, procedure=procedure, reason=reason)
            if delivery is not None:
                _refuse_replay(runtime, delivery)
    if as_json:
        context.show_json({"replayed": len(revived)})
        return
    text = trn("{n} delivery is due again", "{n} deliveries are due again", len(revived))
    typer.echo(text)


def _refuse_unknown_channel(channel: str | None) -> None:
    if channel is not None and channel not in CHANNELS:
        hint = diagnostics.did_you_mean(channel, list(CHANNELS))
        message = tr(
            "--channel {value}: is none of {known}", value=channel, known=", ".join(CHANNELS)
        )
        raise CommandError(diagnostics.hinted(message, hint), code=2)


def _refuse_replay(runtime: Runtime, delivery: int) -> None:
    """Say why one delivery cannot be replayed.

    Raises:
        CommandError: there is none such, or it is not dead.
    """
    with runtime.database.read() as connection:
        found = deliveries.listing(connection, deliveries.Filter(id=delivery))
    if not found:
        said = mark("{delivery}: no such delivery; `wif deliveries list` shows their ids")
        raise CommandError(tr(said, delivery=delivery))
    state = tr(found[0].state)
    raise CommandError(
        tr(
            "{delivery}: is {state}; only dead deliveries are replayed",
            delivery=delivery,
            state=state,
        )
    )
