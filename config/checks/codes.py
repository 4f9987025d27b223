"""Codes: each is defined once, and every reference names one that is defined."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from config.condition_schema import Choice, ConditionEntry
from config.diagnostics import Code, Diagnostic, did_you_mean, shorten
from config.loader import Configuration, Located
from config.messages import mark, tr
from config.names import references
from config.schema import RuleEntry
from config.yaml_tree import Path_
from routing.ruleset import DEPARTMENT_UNIT

_UNKNOWN: Mapping[str, tuple[Code, str]] = {
    "units": (Code.UNKNOWN_UNIT, mark("is no unit of units.yaml")),
    "kinds": (Code.UNKNOWN_KIND, mark("is no kind of form of procedures.yaml")),
    "procedures": (Code.UNKNOWN_PROCEDURE, mark("is no procedure of procedures.yaml")),
    "permit_types": (Code.UNKNOWN_PERMIT_TYPE, mark("is no permit type of permit_types.yaml")),
}

Reference = tuple[Located[Any], str, str, Path_]
"""An entry, the kind of thing that it names, its code, and where it names it."""


def check(configuration: Configuration) -> Iterator[Diagnostic]:
    """Codes defined twice, and codes that are not defined."""
    yield from _twice(configuration.units, "code", Code.TWICE)
    yield from _twice(configuration.kinds, "code", Code.TWICE)
    yield from _twice(configuration.procedures, "id", Code.PROCEDURE_TWICE)
    yield from _twice(configuration.permit_types, "code", Code.TWICE)
    yield from _twice(configuration.rules, "id", Code.TWICE)
    yield from _twice(configuration.reasons, "code", Code.TWICE)
    yield from _in_refused(configuration)
    for placed, section, code, path in _references(configuration):
        known = configuration.known.get(section)
        if known is not None and code not in known:
            kind, message = _UNKNOWN[section]
            yield placed.mistake(
                kind, path, tr(message), did_you_mean(code, sorted(known)), value=code
            )


def _in_refused(configuration: Configuration) -> Iterator[Diagnostic]:
    """Codes that are not defined in entries in which something else is wrong as well."""
    for file, node in configuration.refused:
        for section, at in references(node):
            known = configuration.known.get(section)
            if known is None or at.text in {*known, "", DEPARTMENT_UNIT}:
                continue
            kind, message = _UNKNOWN[section]
            yield Diagnostic(
                file=file,
                line=at.line,
                column=at.column,
                code=kind,
                text=shorten(at.text),
                message=tr(message),
                proposal=did_you_mean(at.text, sorted(known)),
            )


def _twice(entries: Iterable[Located[Any]], key: str, kind: Code) -> Iterator[Diagnostic]:
    first: dict[object, Located[Any]] = {}
    for placed in entries:
        code = getattr(placed.entry, key)
        if code in first:
            line = first[code].node.line
            yield placed.mistake(
                kind, [key], tr("is defined twice, first on line {line}", line=line)
            )
        else:
            first[code] = placed


def _references(configuration: Configuration) -> Iterator[Reference]:
    if configuration.fallback is not None:
        yield configuration.routing(), "units", configuration.fallback, ["fallback"]
    for unit in configuration.units:
        for key in ("successor", "escalate_to"):
            if (code := getattr(unit.entry, key)) is not None:
                yield unit, "units", code, [key]
    for procedure in configuration.procedures:
        yield procedure, "kinds", procedure.entry.kind, ["kind"]
    for permit_type in configuration.permit_types:
        for at, kind in enumerate(permit_type.entry.recognised_by.kinds):
            yield permit_type, "kinds", kind, ["recognised_by", "kinds", at]
    for rule in configuration.rules:
        yield from _of_rule(rule)


def _of_rule(rule: Located[RuleEntry]) -> Iterator[Reference]:
    for key, targets in (("send_to", rule.entry.send_to), ("inform", rule.entry.inform or ())):
        for at, target in enumerate(targets):
            if target != DEPARTMENT_UNIT:
                yield rule, "units", target, [key, at]
    for section, code, path in _of_condition(rule.entry.when, ["when"]):
        yield rule, section, code, path
    for at, example in enumerate(rule.entry.examples):
        given: list[str | int] = ["examples", at, "given"]
        for unit in example.unit:
            yield rule, "units", unit, ["examples", at, "unit"]
        if example.given.permit_type is not None:
            yield rule, "permit_types", example.given.permit_type, [*given, "permit_type"]
        if example.given.procedure is not None:
            yield rule, "procedures", str(example.given.procedure), [*given, "procedure"]


def _of_condition(
    condition: ConditionEntry, path: list[str | int]
) -> Iterator[tuple[str, str, Path_]]:
    for key, section in (("permit_type", "permit_types"), ("procedure", "procedures")):
        choice: Choice[Any] | None = getattr(condition, key)
        if choice is not None:
            for value in choice.in_ or choice.not_ or ():
                yield section, str(value), [*path, key]
    for key, parts in (("all", condition.all_), ("any", condition.any_)):
        for at, part in enumerate(parts or ()):
            yield from _of_condition(part, [*path, key, at])
    if condition.not_ is not None:
        yield from _of_condition(condition.not_, [*path, "not"])
