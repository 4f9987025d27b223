"""`wif dossiers`: list, show, reassign."""

from typing import Annotated, Any

import typer

from cli import context
from cli.tables import show_table
from routing.territory import departments
from store import deliveries, dossiers
from store.dossiers import DossierStatus, Stored
from tasks.reassigning import reassign, unpin

app = typer.Typer(no_args_is_help=True, help="Dossiers: where each stands and who has it.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[str, typer.Argument(help="PROCEDURE/NUMBER", metavar="PROCEDURE/NUMBER")]


def as_row(dossier: Stored) -> dict[str, Any]:
    """A dossier as scripts read it."""
    facts = dossier.facts
    return {
        "procedure": dossier.procedure,
        "number": dossier.number,
        "status": dossier.status,
        "state": facts.state if facts else None,
        "permit_type": facts.permit_type if facts else None,
        "department": facts.department if facts else None,
        "department_source": facts.department_source if facts else None,
        "filed_at": facts.filed_at if facts else None,
        "unit": ",".join(dossier.assignment.units) or None,
        "rule": dossier.rule,
        "ruleset": dossier.ruleset,
        "reason": dossier.reason or ",".join(dossier.reasons) or None,
        "reasons": dossier.reasons,
        "unrouted": dossier.unrouted,
        "pinned": dossier.pinned_unit,
        "attempts": dossier.attempts,
        "seen_at": dossier.seen_at,
    }


@app.command("list")
def list_(
    status: Annotated[DossierStatus | None, typer.Option(help="Only those in this status.")] = None,
    procedure: Annotated[int | None, typer.Option(help="Only those of this procedure.")] = None,
    unrouted: Annotated[
        bool, typer.Option("--unrouted", help="Only those sent to the fallback unit.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    as_json: AsJson = False,
) -> None:
    """List dossiers with the unit that has them, the rule and the reason."""
    with context.runtime() as runtime, runtime.database.read() as connection:
        found = dossiers.listing(
            connection, status=status, procedure=procedure, unrouted=unrouted, limit=limit
        )
    rows = [as_row(dossier) for dossier in found]
    if as_json:
        context.show_json(rows)
        return
    columns = (
        "procedure",
        "number",
        "status",
        "permit_type",
        "department",
        "unit",
        "rule",
        "reason",
    )
    show_table(f"{len(rows)} dossiers", columns, [[row[name] for name in columns] for row in rows])


@app.command()
def show(dossier: Key, as_json: AsJson = False) -> None:
    """Show one dossier: facts, decision, deliveries."""
    procedure, number = context.dossier_key(dossier)
    with context.runtime() as runtime, runtime.database.read() as connection:
        found = dossiers.get(connection, procedure, number)
        made = deliveries.listing(connection, deliveries.Filter(procedure=procedure, number=number))
    if found is None:
        context.fail(f"{dossier}: no such dossier; `wif dossiers list` shows those that are known")
    row = as_row(found)
    department = departments().get(row["department"] or "")
    if as_json:
        context.show_json({**row, "deliveries": made})
        return
    shown = {**row, "department": f"{department.code} {department.name}" if department else None}
    show_table(f"Dossier {dossier}", ("what", "value"), list(shown.items()))
    columns = ("id", "event", "unit", "channel", "state", "attempts", "reason", "finished_at")
    show_table("Deliveries", columns, [[getattr(item, name) for name in columns] for item in made])


@app.command("reassign")
def reassign_(
    dossier: Key,
    to: Annotated[str | None, typer.Option(help="Code of the unit that shall have it.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why: a short code such as `moved`.")] = None,
    undo: Annotated[
        bool, typer.Option("--unpin", help="Give it back to the rules instead.")
    ] = False,
) -> None:
    """Give a dossier to a unit by hand. It stays there, whatever the rules say, until unpinned."""
    procedure, number = context.dossier_key(dossier)
    with context.runtime() as runtime:
        if undo:
            units = unpin(runtime, procedure, number)
        elif to and reason:
            units = reassign(runtime, procedure, number, unit=to, reason=reason)
        else:
            raise context.Problem("give --to UNIT and --reason CODE, or --unpin", code=2)
    typer.echo(f"{dossier}: {', '.join(units)}")
