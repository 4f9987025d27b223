"""`wif rules explain`: why a dossier, or any facts, go where they go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from cli.rules.options import AsJson, Day, document_in, mailboxes, place, short, today
from config.messages import tr
from routing.conditions import Case
from routing.explanation import Trial, explain
from routing.facts import DossierState, Filer
from routing.ruleset import Outcome, RuleSet
from routing.territory import read_department
from routing.units import Notify

with lazy_imports():
    from cli import codes, context, tables
    from config import diagnostics, document, schema
    from config.checks import examples
    from service import reassign
    from store import dossiers, rulesets

if TYPE_CHECKING:
    from config.schema import ExampleEntry, GivenEntry
    from service.runtime import Runtime
    from store.dossiers import DossierRecord


Stored = Annotated[
    str | None,
    typer.Argument(
        help="A stored dossier; else give facts with the options.", metavar="PROCEDURE/NUMBER"
    ),
]
PermitType = Annotated[str | None, typer.Option(help="Code of the permit type.")]
Department = Annotated[
    str | None, typer.Option(help="Département of competence: 75, 2A, `75 - Paris`.")
]
Procedure = Annotated[int | None, typer.Option(help="Id; an ordinary one when not given.")]
FiledBy = Annotated[
    Filer | None, typer.Option(help="Who files; as the procedure says when not given.")
]
State = Annotated[DossierState, typer.Option(help="State.")]
Filed = Annotated[
    date | None,
    typer.Option(parser=date.fromisoformat, metavar="YYYY-MM-DD", help="Day of deposit."),
]
Files = Annotated[
    Path | None,
    typer.Option(
        "--from", help="Explain by the files in this folder instead of the rule set in force."
    ),
]


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A case, what becomes of it, and what became of it under the version before.

    Of the case only what is `given` is shown; the rest was filled in to try the rules.
    """

    case: Case
    rules: RuleSet
    trials: list[Trial]
    outcome: Outcome
    previous: tuple[RuleSet, Outcome] | None
    pinned: str | None
    given: frozenset[str]


def explain_(
    dossier: Stored = None,
    permit_type: PermitType = None,
    department: Department = None,
    procedure: Procedure = None,
    filer: FiledBy = None,
    state: State = DossierState.INITIATED,
    filed: Filed = None,
    on: Day = None,
    files: Files = None,
    as_json: AsJson = False,
) -> None:
    """Show each rule in order with why it did not match, the one that did, and the office."""
    day = on or today()
    with context.runtime() as running:
        rules = _rules(running, files)
        if dossier is None:
            given = _given(rules, permit_type, department, procedure, filer, state, filed)
            case, pinned = examples.case_of(_example(given, day), rules), None
            names = _names_of(
                permit_type=permit_type,
                department=department,
                procedure=procedure,
                filer=filer,
                state=None if state is DossierState.INITIATED else state,
                filed_on=filed,
                decided_on=on,
            )
        else:
            stored = _stored(running, dossier)
            assert stored.facts is not None  # noqa: S101 - _stored sees to it
            case, pinned = Case.of(stored.facts, day), stored.pinned_unit
            names = frozenset(field.name for field in fields(Case))
        found = _explained(running, rules, case, pinned, names)
    if as_json:
        context.show_json(_json(found))
    else:
        _show(found, dossier)


def _names_of(**given: object) -> frozenset[str]:
    """The names of the facts that were given."""
    return frozenset(name for name, value in given.items() if value is not None)


def _rules(running: Runtime, files: Path | None) -> RuleSet:
    if files is None:
        return running.rules()
    return document.compile_document(document_in(files, running.settings))


def _stored(running: Runtime, dossier: str) -> DossierRecord:
    procedure, number = context.dossier_key(dossier)
    with running.database.read() as connection:
        found = dossiers.get(connection, procedure, number)
    if found is None or found.facts is None:
        raise CommandError(reassign.unread(dossier, found))
    return found


def _example(given: GivenEntry, day: date) -> ExampleEntry:
    return schema.ExampleEntry.model_construct(given=given, decided=day, unit=[])


def _given(
    rules: RuleSet,
    permit_type: str | None,
    department: str | None,
    procedure: int | None,
    filer: Filer | None,
    state: DossierState,
    filed: date | None,
) -> GivenEntry:
    codes = [permit.code for permit in rules.permit_types]
    if permit_type is not None and permit_type not in codes:
        hint = diagnostics.did_you_mean(permit_type, codes) or tr(
            "one of {names}", names=", ".join(codes)
        )
        raise CommandError(
            tr(
                "--permit-type {permit_type}: no such permit type; {hint}",
                permit_type=permit_type,
                hint=hint,
            ),
            code=2,
        )
    if procedure is not None and procedure not in rules.forms:
        hint = diagnostics.did_you_mean(str(procedure), list(map(str, rules.forms))) or ""
        raise CommandError(
            tr("--procedure {procedure}: not configured; {hint}", procedure=procedure, hint=hint),
            code=2,
        )
    code = read_department(department).code if department is not None else None
    if department is not None and code is None:
        raise CommandError(
            tr(
                "--department {department}: no such département; write 75 or 2A",
                department=department,
            ),
            code=2,
        )
    return schema.GivenEntry.model_construct(
        permit_type=permit_type,
        department=code,
        procedure=procedure,
        filer=filer,
        state=state,
        filed=filed,
    )


def _explained(
    running: Runtime, rules: RuleSet, case: Case, pinned: str | None, given: frozenset[str]
) -> Explained:
    before = _previous(running, rules.hash)
    return Explained(
        case=case,
        rules=rules,
        trials=list(explain(rules, case, tr)),
        outcome=rules.outcome_of(case),
        previous=(before, before.outcome_of(case)) if before else None,
        pinned=pinned,
        given=given,
    )


def _previous(running: Runtime, digest: str) -> RuleSet | None:
    """The rule set that was in force before the one that explains."""
    with running.database.read() as connection:
        activations = rulesets.history(connection)
    hashes = [activation.hash for activation in activations]
    older = hashes[hashes.index(digest) :] if digest in hashes else hashes
    before = next((other for other in older if other != digest), None)
    return running.rule_sets.get(before) if before else None


def _json(found: Explained) -> dict[str, Any]:
    units = [found.rules.units[code] for code in found.outcome.units]
    return {
        "ruleset": found.rules.hash,
        "facts": {
            field.name: getattr(found.case, field.name)
            for field in fields(found.case)
            if field.name in found.given
        },
        "rules": [
            {"rule": t.rule.id, "matched": t.matched, "why_not": t.misses} for t in found.trials
        ],
        "units": [{"code": u.code, "name": u.name, "mailbox": mailboxes(u)} for u in units],
        "outcome": _outcome(found.outcome),
        "pinned": found.pinned,
        "previous": {"ruleset": found.previous[0].hash, **_outcome(found.previous[1])}
        if found.previous
        else None,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return dict(zip(outcome._fields, outcome, strict=True))


def _show(found: Explained, dossier: str | None) -> None:
    case = found.case
    said = {
        "permit_type": case.permit_type or tr("permit type unknown"),
        "department": place(case.department) if case.department else tr("département unknown"),
        "procedure": tr("procedure {procedure}", procedure=case.procedure or tr("none")),
        "filed_on": tr("filed on {filed_on}", filed_on=case.filed_on),
        "filer": tr("filer unknown")
        if case.filer is Filer.UNKNOWN
        else tr("by {filer}", filer=tr(case.filer)),
        "state": tr(case.state),
        "decided_on": tr("decided on {decided_on}", decided_on=case.decided_on),
    }
    shown = ", ".join(text for name, text in said.items() if name in found.given)
    shown = shown or tr("none given")
    typer.echo(tr("{subject}: {facts}", subject=dossier or tr("Facts"), facts=shown))
    rows = [
        (t.rule.id, tr("yes") if t.matched else tr("no"), tr("; ").join(t.misses))
        for t in found.trials
    ]
    tables.show_table(
        tr("Rule set {hash}", hash=short(found.rules.hash)), ("rule", "matches", "why not"), rows
    )
    for line in _lines(found):
        typer.echo(line)


def _lines(found: Explained) -> Iterator[str]:
    outcome = found.outcome
    for code in outcome.units:
        unit = found.rules.units[code]
        yield tr(
            "Goes to {code}, {name} <{mailboxes}>",
            code=unit.code,
            name=unit.name,
            mailboxes=mailboxes(unit),
        )
    yield from _told(found)
    if outcome.rule is None:
        yield tr("No rule matches: it is unrouted, and the fallback unit gets it")
    elif not outcome.routed:
        yield tr("The rule finds no competent unit: it is unrouted, and the fallback unit gets it")
    if (rule := found.rules.rule(outcome.rule or "")) is not None:
        yield tr("Why: {why}", why=rule.why) + (f" ({rule.article})" if rule.article else "")
    if outcome.reasons:
        yield tr("Reasons: {names}", names=", ".join(outcome.reasons))
        yield from (f"- {codes.explained(reason)}" for reason in outcome.reasons)
    if found.pinned:
        yield tr(
            "Pinned by hand to {pinned}, which has it whatever the rules say", pinned=found.pinned
        )
    if found.previous:
        yield _compared(*found.previous, outcome)


def _told(found: Explained) -> Iterator[str]:
    """Who is informed, and how those that get it are told where that is not as usual."""
    outcome = found.outcome
    for code in outcome.inform:
        unit = found.rules.units[code]
        yield tr(
            "Informs {unit}, {name} <{mailbox}>", unit=code, name=unit.name, mailbox=mailboxes(unit)
        )
    if outcome.notify is Notify.DIGEST:
        yield tr("Is told by the digest of each unit that gets it")
    elif outcome.notify is Notify.INSTANT:
        yield tr("Is told at once, also to units that have a digest")


def _compared(rules: RuleSet, before: Outcome, now: Outcome) -> str:
    said = tr("the same")
    if before.units != now.units:
        said = tr(
            "{names}, by {rule}", names=", ".join(before.units), rule=before.rule or tr("no rule")
        )
    return tr("The version before ({hash}) says: {said}", hash=short(rules.hash), said=said)
