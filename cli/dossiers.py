"""`wif dossiers`: list, show, reassign."""

import csv
import sys
from datetime import date, datetime, time
from typing import Annotated, Any

import typer

from cli import context
from cli.command_error import CommandError
from cli.tables import show_table
from routing.calendar import PARIS
from routing.facts import DossierState
from routing.territory import departments
from service.reassign import reassign, unpin
from store import deliveries, dossiers
from store.dossiers import DossierRecord, DossierStatus

app = typer.Typer(no_args_is_help=True, help="Dossiers: where each stands and who has it.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SHOWN = 100
"""Dossiers that are listed when nobody says how many."""

COLUMNS = (
    *("procedure", "number", "status", "state", "permit_type", "department", "unit", "rule"),
    *("reason", "age_days"),
)
Key = Annotated[str, typer.Argument(help="PROCEDURE/NUMBER", metavar="PROCEDURE/NUMBER")]


def as_row(dossier: DossierRecord) -> dict[str, Any]:
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
        "pinned_reason": dossier.pinned_reason,
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
    unit: Annotated[str | None, typer.Option(help="Only those that this unit has.")] = None,
    department: Annotated[
        str | None, typer.Option(help="Only those of this département (code).")
    ] = None,
    permit_type: Annotated[
        str | None, typer.Option(help="Only those of this permit type (code).")
    ] = None,
    state: Annotated[
        DossierState | None, typer.Option(help="Only those in this state in TPS.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only those filed on this day or later (Paris).")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = SHOWN,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """List dossiers with the unit that has them, the rule, the reason and their age."""
    filed = None if since is None else _day(since)
    with context.runtime() as runtime, runtime.database.read() as connection:
        now = runtime.clock()
        found = dossiers.listing(
            connection,
            status=status,
            procedure=procedure,
            unrouted=unrouted,
            unit=unit,
            department=department.upper() if department else None,
            permit_type=permit_type,
            state=state,
            since=filed,
            limit=limit + 1,
        )
    more = len(found) > limit
    rows = [{**as_row(dossier), "age_days": _age(dossier, now)} for dossier in found[:limit]]
    if as_json:
        context.show_json(rows)
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, [*COLUMNS, "filed_at"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    else:
        table = [[row[name] for name in COLUMNS] for row in rows]
        show_table(f"{len(rows)} dossiers", COLUMNS, table)
    if more:
        typer.echo(f"there are more than {limit}: give --limit, or another filter", err=True)


def _day(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), PARIS)
    except ValueError:
        raise CommandError("--since: is no day; for example 2026-01-31", code=2) from None


def _age(dossier: DossierRecord, now: datetime) -> int:
    """Days since it was filed; since it was first seen when it was never read."""
    since = dossier.facts.filed_at if dossier.facts else dossier.seen_at
    return max(0, (now - since).days)


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
            raise CommandError("give --to UNIT and --reason CODE, or --unpin", code=2)
    typer.echo(f"{dossier}: {', '.join(units)}")
