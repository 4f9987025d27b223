"""`wif deliveries`: list, replay."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from cli.lists import AsCsv, AsJson, Limit, day_of, limit_of, refuse_unknown, show_rows
from config.messages import tr, trn
from store.states import DeliveryState

with lazy_imports():
    from cli import context
    from store import deliveries
    from store.audit import log

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
    state: Annotated[DeliveryState | None, typer.Option(help="Only those in this state.")] = None,
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
    if as_json:
        context.show_json({"replayed": len(revived)})
        return
    text = trn("{n} delivery is due again", "{n} deliveries are due again", len(revived))
    typer.echo(text)
