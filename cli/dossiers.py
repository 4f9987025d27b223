"""`wif dossiers`: list, show, reassign."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from cli.lists import (
    AsCsv,
    AsJson,
    Limit,
    day_of,
    department_of,
    limit_of,
    one_of,
    refuse_unknown,
    show_rows,
)
from config.messages import tr, trn
from routing.facts import DossierState
from routing.territory import departments
from store.states import DossierStatus

with lazy_imports():
    from cli import codes, context, tables
    from service import reassign
    from store import deliveries, dossiers

if TYPE_CHECKING:
    from store.dossiers import DossierRecord


app = typer.Typer(no_args_is_help=True, help="Dossiers: where each stands and who has it.")

COLUMNS = (
    *("procedure", "number", "status", "state", "permit_type", "department", "unit", "rule"),
    *("reason", "age_days"),
)
Key = Annotated[str, typer.Argument(help="PROCEDURE/NUMBER", metavar="PROCEDURE/NUMBER")]

Status = Annotated[
    DossierStatus | None,
    typer.Option(help="Only those in this status.", **one_of(DossierStatus)),
]
State = Annotated[
    DossierState | None,
    typer.Option(help="Only those in this state in TPS.", **one_of(DossierState)),
]


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
    status: Status = None,
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
    state: State = None,
    since: Annotated[
        str | None, typer.Option(help="Only those filed on this day or later (Paris).")
    ] = None,
    limit: Limit = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List dossiers with the unit that has them, the rule, the reason and their age."""
    filed, place = day_of("--since", since), department_of(department)
    most = limit_of(limit, whole=as_json or as_csv)
    with context.runtime() as runtime:
        now = runtime.clock()
        with runtime.database.read() as connection:
            found = dossiers.listing(
                connection,
                status=status,
                procedure=procedure,
                unrouted=unrouted,
                unit=unit,
                department=place,
                permit_type=permit_type,
                state=state,
                since=filed,
                limit=most and most + 1,
            )
        if not found:
            refuse_unknown(runtime, unit=unit, permit_type=permit_type, procedure=procedure)
    rows = [{**as_row(dossier), "age_days": _age(dossier, now)} for dossier in found]
    title = trn("{n} dossier", "{n} dossiers", min(len(rows), most or len(rows)))
    columns = (*COLUMNS, "filed_at") if as_csv else COLUMNS
    show_rows(title, columns, rows, limit=most, as_json=as_json, as_csv=as_csv)


def _age(dossier: DossierRecord, now: datetime) -> int:
    """Days since it was filed; since it was first seen when it was never read."""
    since = dossier.facts.filed_at if dossier.facts else dossier.seen_at
    return max(0, (now - since).days)


@app.command()
def show(dossier: Key, as_json: AsJson = False) -> None:
    """Show one dossier: facts, decision, deliveries."""
    procedure, number = context.dossier_key(dossier)
    with context.runtime() as runtime:
        with runtime.database.read() as connection:
            found = dossiers.get(connection, procedure, number)
            wanted = deliveries.Filter(procedure=procedure, number=number)
            made = deliveries.listing(connection, wanted)
        labels = runtime.rules(trial=True).reasons if found and found.pinned_reason else {}
    if found is None:
        context.fail(
            tr(
                "{dossier}: no such dossier; `wif dossiers list` shows those that are known",
                dossier=dossier,
            )
        )
    label = labels.get(found.pinned_reason or "")
    row = {**as_row(found), "pinned_reason_label": label}
    department = departments().get(row["department"] or "")
    if as_json:
        context.show_json({**row, "deliveries": made})
        return
    shown = {**row, "department": f"{department.code} {department.name}" if department else None}
    shown["pinned_reason"] = f"{label} ({row['pinned_reason']})" if label else row["pinned_reason"]
    reasons = found.reasons or ([found.reason] if found.reason else [])
    shown["reason"] = "\n".join(map(codes.explained, reasons))
    del shown["pinned_reason_label"], shown["reasons"]
    tables.show_table(
        tr("Dossier {dossier}", dossier=dossier),
        ("what", "value"),
        [(tr(name), value) for name, value in shown.items()],
    )
    columns = ("id", "event", "unit", "channel", "state", "attempts", "reason", "finished_at")
    tables.show_table(
        tr("Deliveries"), columns, [[getattr(item, name) for name in columns] for item in made]
    )


@app.command("reassign")
def reassign_(
    dossier: Key,
    to: Annotated[str | None, typer.Option(help="Code of the unit that shall have it.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why: a short code such as `moved`.")] = None,
    undo: Annotated[
        bool, typer.Option("--unpin", help="Give it back to the rules instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give a dossier to a unit by hand. It stays there, whatever the rules say, until unpinned."""
    procedure, number = context.dossier_key(dossier)
    if undo and (to or reason):
        raise CommandError(
            tr("--unpin gives it back to the rules: leave out --to and --reason"), code=2
        )
    with context.runtime() as runtime:
        if undo:
            units = reassign.unpin(runtime, procedure, number)
        elif to and reason:
            units = reassign.reassign(runtime, procedure, number, unit=to, reason=reason)
        else:
            raise CommandError(tr("give --to UNIT and --reason CODE, or --unpin"), code=2)
    if as_json:
        context.show_json({"procedure": procedure, "number": number, "units": units})
        return
    typer.echo(tr("{dossier}: goes to {units}", dossier=dossier, units=", ".join(units)))
