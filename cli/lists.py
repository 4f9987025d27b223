"""What the lists of dossiers and deliveries have in common: filters, limits, JSON and CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import for_people, joined, tr
from connectors.channel import SkipReason
from routing.calendar import PARIS
from routing.failures import Cause
from routing.territory import departments, read_department
from routing.text import normalise

with lazy_imports():
    from cli import context, tables
    from config import diagnostics, values

if TYPE_CHECKING:
    from service.runtime import Runtime


SHOWN = 100
"""Rows of a table when nobody says how many."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Limit = Annotated[
    int | None,
    typer.Option(min=1, help="At most so many; a table has 100 when not given, JSON and CSV all."),
]


def one_of(codes: type[StrEnum]) -> dict[str, Any]:
    """How an option takes one of some codes, or the word that tables show for it."""

    def parse(text: str) -> StrEnum:
        for code in codes:
            if normalise(text) in {code.value, normalise(for_people(tr(code.value)))}:
                return code
        known = joined(map(_code_in_words, codes), ", ")
        raise typer.BadParameter(tr("{value} is none of {known}", value=text, known=known))

    values = [code.value for code in codes]
    return {"parser": parse, "metavar": f"[{'|'.join(values)}]", "autocompletion": lambda: values}


def _code_in_words(code: StrEnum) -> str:
    said = tr(code.value)
    if for_people(said) == code.value:
        return code.value
    return joined((code.value, " (", said, ")"), "")


def limit_of(given: int | None, *, whole: bool) -> int | None:
    """How many rows are wanted, None for all: what scripts read is whole."""
    return given if given is not None or whole else SHOWN


def show_rows(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    limit: int | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print rows, of which there may be one more than `limit`: then it says so on stderr."""
    shown = rows if limit is None else rows[:limit]
    if as_json:
        context.show_json(shown)
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(shown)
    else:
        tables.show_table(title, columns, [[row[name] for name in columns] for row in shown])
    if len(shown) < len(rows):
        text = tr("there are more than {limit}: give --limit, or another filter", limit=limit)
        context.tell(text)


def day_of(option: str, text: str | None) -> datetime | None:
    """The beginning of a day in Paris, None when none was given.

    Raises:
        CommandError: it is no day.
    """
    if text is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), PARIS)
    except ValueError:
        message = tr("{option}: is no day; for example 2026-01-31", option=option)
        raise CommandError(message, code=2) from None


def department_of(text: str | None) -> str | None:
    """The code of a département, as a code or as `75 - Paris`.

    Raises:
        CommandError: there is none such.
    """
    if text is None:
        return None
    found = read_department(text)
    if found.code is None or not found.label_agrees:
        choices = [values.labelled(each) for each in departments()]
        hint = diagnostics.did_you_mean(text, choices) or tr("write 75 or 2A")
        message = tr("--department {text}: no such département; {hint}", text=text, hint=hint)
        raise CommandError(message, code=2)
    return found.code


def refuse_unknown(
    runtime: Runtime,
    *,
    unit: str | None = None,
    permit_type: str | None = None,
    procedure: int | None = None,
    reason: str | None = None,
) -> None:
    """Refuse a filter under which nothing was found because there is no such thing.

    Raises:
        CommandError: the rule set in force does not know it.
    """
    rules = runtime.rules(trial=True)
    labels = {normalise(permit.label): permit.code for permit in rules.permit_types}
    known: dict[str, tuple[object, Collection[str]]] = {
        "--unit": (unit, rules.units),
        "--permit-type": (permit_type, labels.values()),
        "--procedure": (procedure, [str(number) for number in rules.forms]),
        "--reason": (reason, [code.value for code in (*Cause, *SkipReason)]),
    }
    for option, (given, choices) in known.items():
        if given is not None and str(given) not in choices:
            code = labels.get(normalise(str(given))) if option == "--permit-type" else None
            hint = _meant(str(given), choices, code)
            message = tr("{option} {given}: there is no such code", option=option, given=given)
            raise CommandError(diagnostics.hinted(message, hint), code=2)


def _meant(given: str, choices: Collection[str], code: str | None) -> str | None:
    if code is not None:
        return tr("write {code}", code=code)
    return diagnostics.did_you_mean(given, list(choices))
