"""`wif channels`: list, test, enable."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import said_by, tr, trn
from routing.failures import TABLE, Cause

with lazy_imports():
    from cli import codes, context, tables
    from service import channels

if TYPE_CHECKING:
    from service.channels import TrialResult

app = typer.Typer(no_args_is_help=True, help="Channels: by which the units are told.")

UnitCode = Annotated[str, typer.Argument(help="Code of the unit, such as UD075.")]
Kind = Annotated[
    str | None, typer.Option("--channel", help="Only this kind: mail, webhook, tps_group.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(
    unit: Annotated[str | None, typer.Option(help="Only those of this unit.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the channels of units and whether they can be used; nobody is asked."""
    with context.runtime() as runtime:
        found = [each for each in channels.channel_statuses(runtime) if unit in {None, each.unit}]
    if as_json:
        context.show_json([asdict(each) for each in found])
        return
    rows = [(each.unit, each.channel, codes.explained(each.state)) for each in found]
    title = trn("{n} channel", "{n} channels", len(rows))
    tables.show_table(title, ("unit", "channel", "state"), rows)


@app.command("test")
def try_(unit: UnitCode, channel: Kind = None, as_json: AsJson = False) -> None:
    """Send a harmless trial to a unit and say what happened; exit 1 if one was not accepted."""
    with context.runtime() as runtime:
        try:
            results = list(channels.try_channels(runtime, unit, channel))
        except channels.UnknownChannelError as error:
            raise CommandError(said_by(error), code=2) from None
    if as_json:
        context.show_json([_record(result) for result in results])
    else:
        for result in results:
            typer.echo(_line(result))
    if any(result.failure for result in results):
        raise typer.Exit(1)


@app.command()
def enable(unit: UnitCode, channel: Kind = None, as_json: AsJson = False) -> None:
    """Use an endpoint again that said 410 and was disabled for it."""
    with context.runtime() as runtime:
        try:
            count = channels.enable_channels(runtime, unit, channel)
        except channels.UnknownChannelError as error:
            raise CommandError(said_by(error), code=2) from None
    if as_json:
        context.show_json({"unit": unit, "enabled": count})
        return
    if not count:
        typer.echo(tr("nothing is disabled at {unit}", unit=unit))
        return
    typer.echo(
        tr(
            "{unit} is enabled; what died meanwhile: wif deliveries replay --unit {unit} "
            "--reason {reason}",
            unit=unit,
            reason=Cause.WEBHOOK_GONE.value,
        )
    )


def _record(result: TrialResult) -> dict[str, object]:
    failure = result.failure
    return {
        "unit": result.unit,
        "channel": result.channel,
        "accepted": failure is None and result.skipped is None,
        "cause": failure.cause.value if failure else None,
        "status": failure.status if failure else None,
        "duration_ms": result.duration_ms,
    }


def _line(result: TrialResult) -> str:
    if result.skipped is not None:
        said = codes.explained(result.skipped)
    elif result.failure is None:
        said = tr("accepted after {duration} ms", duration=result.duration_ms)
    else:
        meaning = tr(TABLE[result.failure.cause].meaning)
        said = tr("{code}: {meaning}", code=result.failure, meaning=meaning)
    return tr("{name}: {why}", name=f"{result.unit} {result.channel}", why=said)
