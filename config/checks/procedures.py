"""Procedures: each under its own département, which a unit serves."""

import json
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

from config.diagnostics import Code, Diagnostic
from config.loader import Configuration, Located
from config.messages import tr
from config.schema import KindEntry, ProcedureEntry
from config.values import labelled
from routing.text import normalise

_PUBLISHED = Path(__file__).resolve().parent.parent / "published_procedures.json"


@cache
def published() -> dict[int, str]:
    """The département of each procedure whose number was made public (November 2020).

    A number never passes to another département: TPS gives each one out once.
    """
    listed: dict[str, list[int]] = json.loads(_PUBLISHED.read_text())
    return {number: department for department, numbers in listed.items() for number in numbers}


def check(configuration: Configuration) -> Iterator[Diagnostic]:
    """Everything that is wrong among the procedures and their kinds."""
    for procedure in configuration.procedures:
        yield from _published(procedure, configuration)
        yield from _served(procedure, configuration)
        yield from _labels(procedure)
    for kind in configuration.kinds:
        yield from _labels(kind)


def _published(
    procedure: Located[ProcedureEntry], configuration: Configuration
) -> Iterator[Diagnostic]:
    entry = procedure.entry
    theirs = published().get(entry.id)
    if theirs is None or theirs == entry.department:
        return
    swapped = next(
        (
            other.entry.id
            for other in configuration.procedures
            if other.entry.department == theirs
            and published().get(other.entry.id, theirs) == entry.department
        ),
        None,
    )
    yield procedure.mistake(
        Code.PROCEDURE_DEPARTMENT_DISAGREES,
        ["id"],
        tr("is a procedure of {place}", place=labelled(theirs)),
        tr("swapped with {swapped}?", swapped=swapped)
        if swapped
        else tr("write `department: {place}`", place=labelled(theirs)),
    )


def _served(
    procedure: Located[ProcedureEntry], configuration: Configuration
) -> Iterator[Diagnostic]:
    department = procedure.entry.department
    if department is None:
        return
    serving = [unit.entry for unit in configuration.units if department in unit.entry.departments]
    if not serving:
        if "units.yaml" in configuration.sound:
            yield procedure.mistake(
                Code.DEPARTMENT_NOT_SERVED,
                ["department"],
                tr("is served by no unit"),
                tr("add its unit to units.yaml first"),
            )
        return
    opens = min(unit.opens or date.min for unit in serving)
    if procedure.entry.opens is not None and procedure.entry.opens < opens:
        yield procedure.mistake(
            Code.DEPARTMENT_NOT_SERVED,
            ["opens"],
            tr(
                "comes before {day}, when the first unit of {place} opens",
                day=opens,
                place=labelled(department),
            ),
        )


def _labels(placed: Located[ProcedureEntry] | Located[KindEntry]) -> Iterator[Diagnostic]:
    """Two fields of one form do not go by the same label."""
    seen: dict[str, str] = {}
    for field, labels in placed.entry.fields.items():
        for at, label in enumerate(labels):
            first = seen.setdefault(normalise(label), field.value)
            if first != field.value:
                yield placed.mistake(
                    Code.LABEL_TWICE,
                    ["fields", field.value, at],
                    tr("is the label of `{first}` too", first=first),
                )
