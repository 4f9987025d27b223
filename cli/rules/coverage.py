"""`wif rules coverage`: who gets what, for every département, permit type and filer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from cli.rules.options import AsJson, Day, Directory, place, rules_in, short, today, told
from config.foreign_messages import translated
from config.messages import tr
from routing.boxes import Axis
from routing.case_classes import UNLISTED, CaseClass, Interval
from routing.coverage import Cell, CellOutcome, coverage
from routing.facts import Filer
from routing.ruleset import RuleSet
from routing.territory import departments

with lazy_imports():
    from cli import context, tables
    from web.coverage import page


T = TypeVar("T")


def coverage_(
    directory: Directory = None,
    on: Day = None,
    as_json: AsJson = False,
    html: Annotated[
        Path | None, typer.Option(help="Write a page that a browser opens, in French.")
    ] = None,
) -> None:
    """Show who gets what, with nothing left out: the unit and the rule, or `unrouted`."""
    rules = rules_in(directory)
    day = on or today()
    cells = list(coverage(rules, day))
    if html is not None:
        try:
            html.write_text(page.coverage_page(rules, cells, day), encoding="utf-8")
        except OSError as error:
            raise CommandError(
                tr(
                    "{html}: cannot be written ({why})",
                    html=html,
                    why=translated(error.strerror or ""),
                )
            ) from None
        typer.echo(html)
    elif as_json:
        context.show_json(
            {"ruleset": rules.hash, "on": day, "cells": [_row(cell) for cell in cells]}
        )
    else:
        _show(rules, cells, day)


def _row(cell: Cell) -> dict[str, Any]:
    """A cell as scripts read it."""
    known = departments().get(cell.department or "")
    return {
        "department": cell.department,
        "department_name": known.name if known else None,
        "permit_type": cell.permit_type,
        "filer": cell.filer,
        "routed": cell.routed,
        "brought_in": cell.brought_in,
        "answers": [_answer(answer, cell.depends_on) for answer in cell.outcomes],
    }


def _answer(answer: CellOutcome, depends_on: Collection[Axis]) -> dict[str, Any]:
    row = {
        "units": answer.outcome.units,
        "rule": answer.outcome.rule,
        "routed": answer.outcome.routed,
        "reasons": answer.outcome.reasons,
        "inform": answer.outcome.inform,
        "notify": answer.outcome.notify,
    }
    return (
        {**row, "cases": [_case(case_class) for case_class in answer.classes]}
        if depends_on
        else row
    )


def _case(case_class: CaseClass) -> dict[str, Any]:
    return {
        "procedures": [number for number in case_class.procedures if number != UNLISTED],
        "states": case_class.states,
        "filed_from": case_class.filed.since,
        "filed_before": case_class.filed.before,
    }


def _show(rules: RuleSet, cells: Iterable[Cell], day: date) -> None:
    """The matrix; permit types that are alike everywhere share a column, départements a row."""
    matrix = _said_by_place(cells)
    permits = [*(permit.code for permit in rules.permit_types), None]
    places = [*departments(), None]
    columns = _alike(permits, lambda permit: tuple(matrix[place, permit] for place in places))
    rows = _alike(places, lambda place: tuple(matrix[place, group[0]] for group in columns))
    tables.show_table(
        tr("Rule set {hash}, decided on {day}", hash=short(rules.hash), day=day),
        [tr("département"), *map(_codes, columns)],
        [[_places(group), *(matrix[group[0], column[0]] for column in columns)] for group in rows],
    )


def _alike(values: Iterable[T], key: Callable[[T], object]) -> list[list[T]]:
    groups: dict[object, list[T]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return list(groups.values())


def _said_by_place(cells: Iterable[Cell]) -> dict[tuple[str | None, str | None], str]:
    """What is said for each département and permit type; filers apart only where they differ."""
    found: dict[tuple[str | None, str | None], dict[str, list[Filer]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for cell in cells:
        for answer in cell.outcomes:
            said = _said(answer, cell.depends_on)
            found[cell.department, cell.permit_type][said].append(cell.filer)
    return {
        place: "\n".join(
            said if len(filers) == len(Filer) else f"{', '.join(map(tr, filers))}: {said}"
            for said, filers in answers.items()
        )
        for place, answers in found.items()
    }


def _said(answer: CellOutcome, depends_on: Collection[Axis]) -> str:
    outcome = answer.outcome
    units = ", ".join(outcome.units) if outcome.routed else tr("unrouted")
    said = (f"{units} ({outcome.rule})" if outcome.rule else units) + told(outcome)
    cases = dict.fromkeys(_when(each, depends_on) for each in answer.classes)
    return (
        tr("{said} when {names}", said=said, names=tr(" or ").join(cases)) if depends_on else said
    )


def _when(case_class: CaseClass, depends_on: Collection[Axis]) -> str:
    """What tells these cases from the others of their cell."""
    parts = {
        Axis.PROCEDURE: tr("procedure {names}", names="/".join(map(str, case_class.procedures))),
        Axis.STATE: "/".join(map(tr, case_class.states)),
        Axis.FILED: tr("filed {period}", period=_period(case_class.filed)),
    }
    return ", ".join(part for axis, part in parts.items() if axis in depends_on)


def _period(filed: Interval) -> str:
    parts = [
        tr("from {since}", since=filed.since) if filed.since else "",
        tr("before {before}", before=filed.before),
    ]
    return " ".join(filter(None, parts if filed.before else parts[:1]))


def _places(codes: list[str | None]) -> str:
    return place(codes[0]) if len(codes) == 1 and codes[0] else _codes(codes)


def _codes(codes: list[str | None]) -> str:
    return ", ".join(code or tr("unknown") for code in codes)
