"""`wif procedures`: list, show, resume."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import mark, tr, trn

with lazy_imports():
    from cli import context, tables
    from service import procedure_fields, register, resume
    from store import procedures

if TYPE_CHECKING:
    from routing.form_fields import FormField
    from service.procedure_fields import ShownProcedure
    from service.runtime import Runtime

app = typer.Typer(no_args_is_help=True, help="Procedures: how polling goes.")

COLUMNS = ("number", "status", "reason", "failures", "polled_at", "scanned_at", "next_poll_at")


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List procedures with their status and clocks."""
    with context.runtime() as runtime:
        register.register_procedures(runtime)
        with runtime.database.read() as connection:
            found = procedures.listing(connection)
    rows = [{name: getattr(row, name) for name in COLUMNS} for row in found]
    if as_json:
        context.show_json(rows)
        return
    title = trn("{n} procedure", "{n} procedures", len(rows))
    tables.show_table(title, COLUMNS, [list(row.values()) for row in rows])


@app.command("show")
def show(
    number: Annotated[int, typer.Argument(help="Id of the procedure.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a procedure, and where its form has the fields that routing reads: TPS is asked.

    A field that is on the form no more, or twice, is shown with the labels that it may have now.
    Exit code 1 when there is such a field.
    """
    with context.runtime() as runtime:
        try:
            shown = procedure_fields.show(runtime, number)
        except KeyError:
            said = mark("{number} is not among the procedures in force, nor in procedures.yaml")
            raise CommandError(tr(said, number=number)) from None
    if as_json:
        context.show_json(as_document(shown))
    else:
        _print(shown)
    if shown.mismatched:
        raise typer.Exit(1)


def as_document(shown: ShownProcedure) -> dict[str, Any]:
    """A procedure as scripts read it."""
    fields = None if shown.fields is None else [asdict(each) for each in shown.fields]
    return {**_row(shown), "api": shown.api.value, "fields": fields}


def _row(shown: ShownProcedure) -> dict[str, Any]:
    stored = {name: getattr(shown.stored, name, None) for name in COLUMNS}
    return {**stored, "number": shown.number}


def _print(shown: ShownProcedure) -> None:
    rows = [(tr(name), each) for name, each in {**_row(shown), "api": shown.api.value}.items()]
    tables.show_table(tr("Procedure {number}", number=shown.number), ("what", "value"), rows)
    if shown.fields is None:
        said = mark("{api} does not say which fields a form has; v2 does")
        typer.echo(tr(said, api=shown.api.value))
        return
    columns = ("field", "label", "id", "mismatch", "likely")
    tables.show_table(tr("Fields"), columns, [_field_row(each) for each in shown.fields])
    if shown.mismatched:
        said = mark(
            "Write the new label in procedures.yaml (or the id under `field_ids`), run "
            "`wif rules publish`, then `wif procedures resume {number}`."
        )
        typer.echo(tr(said, number=shown.number))


def _field_row(field: FormField) -> list[str | None]:
    label = field.label or " / ".join(field.labels)
    likely = ", ".join(f"« {each} »" for each in field.likely)
    return [field.field.value, label, field.id, field.mismatch and field.mismatch.value, likely]


@app.command("resume")
def resume_(
    numbers: Annotated[list[int] | None, typer.Argument(help="Ids of procedures.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that do not run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let stopped or paused procedures go on: what was held or given back is due at once."""
    if not numbers and not everything:
        raise CommandError(tr("say which: ids of procedures, or --all"), code=2)
    with context.runtime() as runtime:
        _refuse_unknown(runtime, numbers or [])
        resumed = resume.resume(runtime, None if everything else numbers)
    if as_json:
        context.show_json({"resumed": resumed})
        return
    count = trn("{n} procedure goes on", "{n} procedures go on", len(resumed))
    names = ", ".join(map(str, resumed)) or tr("none stood")
    typer.echo(tr("{count}: {names}", count=count, names=names))


def _refuse_unknown(runtime: Runtime, numbers: list[int]) -> None:
    with runtime.database.read() as connection:
        known = {row.number for row in procedures.listing(connection)}
    if unknown := [str(number) for number in numbers if number not in known]:
        said = mark(
            "{numbers}: no such procedure; `wif procedures list` shows those that are known"
        )
        raise CommandError(tr(said, numbers=", ".join(unknown)))
