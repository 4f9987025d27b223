"""`wif rules simulate`: what an edited configuration would change, before it is published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import typer

from cli.lazy import lazy_imports
from cli.rules.options import AsJson, Day, Directory, document_in, folder, short, today, told
from config.messages import tr
from routing.failures import Cause, Failure
from routing.forms import Form
from routing.ruleset import Outcome, RuleSet
from routing.simulation import (
    CaseMove,
    Change,
    DossierMove,
    PriorDecision,
    case_moves,
    dossier_moves,
)
from routing.territory import departments

with lazy_imports():
    from cli import context, progress, tables
    from cli.rules import diff, stored
    from config import differences as config_differences
    from config import document as config_document
    from store import routed_dossiers

if TYPE_CHECKING:
    from config.differences import Difference
    from service.runtime import Runtime


MOVES = 3
"""Exit code when something would move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewForms:
    """What TPS says of forms: those that it does not know, or why it could not be asked."""

    unknown: tuple[int, ...]
    failure: Cause | None

    def warnings(self) -> Iterator[str]:
        """One line for each form that TPS does not know."""
        for number in self.unknown:
            yield tr(
                "warning: TPS does not know procedure {number}, or the token may not read it",
                number=number,
            )
        if self.failure:
            yield tr(
                "warning: whether TPS knows the new forms could not be asked ({cause})",
                cause=self.failure,
            )


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What would change from one rule set to another.

    Attributes:
        differences: between the two, also those that move nothing.
        dossiers: of the dossiers that are stored.
        cases: of all that can come from the day of the simulation on.
        forms: what TPS says of the forms that are new, None where it was not asked.
    """

    before: RuleSet
    after: RuleSet
    on: date
    differences: list[Difference]
    dossiers: list[DossierMove]
    cases: list[CaseMove]
    forms: NewForms | None

    @property
    def moves(self) -> bool:
        """Whether anything would go elsewhere."""
        return bool(self.dossiers or self.cases)


def simulate(directory: Directory = None, on: Day = None, as_json: AsJson = False) -> None:
    """Show what the files would change. Exit code 0: nothing moves, 3: something does."""
    with context.runtime() as running:
        document = document_in(folder(directory, running.settings), running.settings)
        found = simulation(running, document, on or today())
    if as_json:
        context.show_json(as_json_(found))
    else:
        show(found)
        if found.moves:
            typer.echo(tr("Nothing is published yet: `wif rules publish` does it"))
    if found.moves:
        raise typer.Exit(MOVES)


def simulation(running: Runtime, document: str, on: date) -> Simulation:
    """What a document would change, compared with who has what and the rule set in force."""
    before, after = running.rules(trial=True), config_document.compile_document(document)
    with running.database.read() as connection, progress.bars() as bars:
        stream = routed_dossiers.stored_decisions(connection)
        known = (
            PriorDecision(
                placement.facts,
                Outcome(placement.units, placement.rule, (), routed=not placement.unrouted),
            )
            for placement in bars.each(stream, tr("dossiers"))
        )
        moved = dossier_moves(after, known, on)
    return Simulation(
        before=before,
        after=after,
        on=on,
        differences=config_differences.differences(stored.active_document(running), document),
        dossiers=moved,
        cases=case_moves(before, after, on),
        forms=_ask_tps(running, [form for n, form in after.forms.items() if n not in before.forms]),
    )


def _ask_tps(running: Runtime, new: Sequence[Form]) -> NewForms | None:
    settings = running.settings
    if settings.tps_url is None or settings.tps_token is None:
        return None
    try:
        unknown = sorted(
            form.procedure for form in new if not running.tps_for(form).can_read(form.procedure)
        )
    except Failure as failure:
        return NewForms(unknown=(), failure=failure.cause)
    return NewForms(unknown=tuple(unknown), failure=None)


def show(found: Simulation) -> None:
    """Print a simulation."""
    typer.echo(
        tr(
            "From rule set {hash} to {after}, as of {on}",
            hash=short(found.before.hash),
            after=short(found.after.hash),
            on=found.on,
        )
    )
    diff.show_differences(found.differences)
    for line in found.forms.warnings() if found.forms else ():
        context.tell(line)
    if not found.moves:
        typer.echo(tr("Nothing moves"))
        return
    columns = ("from", "to", "rule before", "rule after")
    if found.dossiers:
        rows = [(*_said(move.change), len(move.open), move.ended) for move in found.dossiers]
        tables.show_table(tr("Stored dossiers"), (*columns, "undecided", "decided, stay"), rows)
    if found.cases:
        rows = [(*_said(move.change), *_where(move)) for move in found.cases]
        tables.show_table(
            tr("Dossiers to come"), (*columns, "départements", "permit types", "from day"), rows
        )


def as_json_(found: Simulation) -> dict[str, Any]:
    """A simulation as scripts read it."""
    return {
        "before": found.before.hash,
        "after": found.after.hash,
        "on": found.on,
        "moves": found.moves,
        "differences": found.differences,
        "forms": found.forms,
        "dossiers": [
            {
                **_change(move.change),
                "undecided": len(move.open),
                "decided": move.ended,
                "dossiers": [f"{procedure}/{number}" for procedure, number in move.open],
            }
            for move in found.dossiers
        ],
        "cases": [
            {
                **_change(move.change),
                "cells": move.cells,
                "departments": _distinct(one.department for one in move.classes),
                "permit_types": _distinct(one.permit_type for one in move.classes),
                "filers": _distinct(one.filer for one in move.classes),
                "procedures": sorted({n for one in move.classes for n in one.procedures if n}),
                "from_day": move.first_day,
            }
            for move in found.cases
        ],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "from": change.before.units,
        "to": change.after.units,
        "rule_before": change.before.rule,
        "rule_after": change.after.rule,
        "unrouted_before": not change.before.routed,
        "unrouted_after": not change.after.routed,
        "reasons": change.after.reasons,
        "inform_before": change.before.inform,
        "inform_after": change.after.inform,
        "notify_before": change.before.notify,
        "notify_after": change.after.notify,
    }


def _said(change: Change) -> Iterator[str]:
    for outcome in (change.before, change.after):
        units = ", ".join(outcome.units)
        shown = units if outcome.routed else tr("{units} (unrouted)", units=units)
        yield shown + told(outcome)
    yield change.before.rule or "–"
    yield change.after.rule or "–"


def _where(move: CaseMove) -> Iterator[str]:
    codes = _distinct(one.department for one in move.classes)
    everywhere = len(codes) > len(departments())
    yield tr("all") if everywhere else ", ".join(code or tr("unknown") for code in codes)
    permits = _distinct(one.permit_type for one in move.classes)
    yield ", ".join(permit or tr("unknown") for permit in permits)
    yield str(move.first_day or tr("now"))


def _distinct(values: Iterator[Any]) -> list[Any]:
    return sorted(set(values), key=lambda value: (value is None, value))
