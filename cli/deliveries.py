"""`wif deliveries`: list, replay."""

from dataclasses import asdict
from typing import Annotated

import typer

from cli import context
from cli.command_error import CommandError
from cli.tables import show_table
from store import deliveries
from store.audit.log import AuditEntry, Step
from store.deliveries import DeliveryState, Filter

app = typer.Typer(no_args_is_help=True, help="Deliveries: what was sent, waits, or is dead.")

Unit = Annotated[str | None, typer.Option(help="Only those to this unit.")]
Procedure = Annotated[int | None, typer.Option(help="Only those of this procedure.")]
Reason = Annotated[str | None, typer.Option(help="Only those with this reason code.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

COLUMNS = (
    *("id", "procedure", "number", "event", "unit", "channel", "state", "attempts"),
    *("permit_type", "department", "reason"),
)


@app.command("list")
def list_(
    state: Annotated[DeliveryState | None, typer.Option(help="Only those in this state.")] = None,
    unit: Unit = None,
    procedure: Procedure = None,
    reason: Reason = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    as_json: AsJson = False,
) -> None:
    """List deliveries; `--state dead` shows those that wait for a person."""
    wanted = Filter(state=state, unit=unit, procedure=procedure, reason=reason)
    with context.runtime() as runtime, runtime.database.read() as connection:
        found = deliveries.listing(connection, wanted, limit=limit)
    rows = [asdict(delivery) for delivery in found]
    if as_json:
        context.show_json(rows)
        return
    show_table(
        f"{len(rows)} deliveries", COLUMNS, [[row[name] for name in COLUMNS] for row in rows]
    )


@app.command()
def replay(
    delivery: Annotated[int | None, typer.Argument(help="Id of one delivery.")] = None,
    unit: Unit = None,
    procedure: Procedure = None,
    reason: Reason = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dead delivery.")] = False,
) -> None:
    """Make dead deliveries due again. Replaying one twice sends it once."""
    wanted = Filter(id=delivery, unit=unit, procedure=procedure, reason=reason)
    if wanted == Filter() and not everything:
        raise CommandError("say which: an id, --unit, --procedure, --reason or --all", code=2)
    with context.runtime() as runtime:
        now = runtime.clock()
        with runtime.database.begin() as connection:
            revived = deliveries.replay(connection, wanted, now)
            runtime.audit.append(
                connection,
                now,
                [
                    AuditEntry(
                        step=Step.REPLAYED,
                        procedure=p,
                        number=n,
                        event=event,
                        unit=told,
                        actor=runtime.actor,
                    )
                    for p, n, event, told in revived
                ],
            )
    typer.echo(f"{len(revived)} deliveries are due again")
