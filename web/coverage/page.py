"""The coverage matrix as one page that a browser opens: nothing else is loaded."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from routing.boxes import Axis
from routing.case_classes import CaseClass
from routing.coverage import Cell, CellOutcome
from routing.facts import DossierState, Filer
from routing.ruleset import Outcome, RuleSet
from routing.territory import departments, regions
from routing.units import Notify, Unit

FILERS = {Filer.STUDENT: "étudiant", Filer.EMPLOYER: "employeur", Filer.UNKNOWN: "déposant inconnu"}

NOTIFY = {None: "", Notify.DIGEST: "par récapitulatif", Notify.INSTANT: "tout de suite"}
"""How a rule wants its units to be told."""

SOFT_HYPHEN = "\u00ad"
_LONG_WORD = re.compile(r"\w{12,}")
_SYLLABLE = re.compile(r"(?<=[aeiouyéèêàâîôûn])[bcdfgjklmnpqrstvxz](?=[aeiouyéèêàâîôû])")
"""A consonant at which a French word may be divided."""

_Said = tuple[tuple[str, ...], str, bool, str, str, str]

REASONS = {
    "department-not-served": "département non desservi",
    "unit-closed": "unité fermée, sans successeur",
    "no-rule-matches": "aucune règle",
    "successor-unit": "unité qui a succédé",
}
"""The reasons that a rule set finds, in French; what is not here is shown as its code."""


STATES = {
    DossierState.INITIATED: "en construction",
    DossierState.RECEIVED: "en instruction",
    DossierState.CLOSED: "accepté",
    DossierState.REFUSED: "refusé",
    DossierState.WITHOUT_CONTINUATION: "sans suite",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A unit as it is shown."""

    code: str
    name: str
    mailbox: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLine:
    """One line of a cell: who gets what, from whom and in which cases."""

    units: tuple[Office, ...]
    rule: str
    routed: bool
    filers: str
    cases: str
    why: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A département and its cells, one a permit type."""

    code: str
    name: str
    region: str
    cells: tuple[tuple[CellLine, ...], ...]

    @property
    def served(self) -> bool:
        """Whether some cell is routed."""
        return any(line.routed for cell in self.cells for line in cell)


def coverage_page(
    rules: RuleSet, cells: Sequence[Cell], on: date, *, addresses: bool = True
) -> str:
    """The page, in French, as HTML; without `addresses` it names units, not their mailboxes."""
    permits = [*((p.code, p.label) for p in rules.permit_types), (None, "Type inconnu")]
    heads = [_divisible(label) for _, label in permits]
    by_place: dict[tuple[str | None, str | None], list[Cell]] = defaultdict(list)
    for cell in cells:
        by_place[cell.department, cell.permit_type].append(cell)
    codes = [*departments(), None]
    offices = {unit.code: _office(unit, addresses=addresses) for unit in rules.units.values()}
    rows = [
        _row(code, [by_place[code, permit] for permit, _ in permits], offices) for code in codes
    ]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = files("web.coverage").joinpath("coverage.html.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        rows=rows,
        permits=permits,
        heads=heads,
        offices=sorted(offices.values(), key=lambda office: office.code),
        ruleset=rules.hash,
        on=f"{on:%d/%m/%Y}",
        served=sum(row.served for row in rows),
        routed=sum(cell.routed for cell in cells),
        total=len(cells),
    )


def _divisible(label: str) -> str:
    """A label whose long words may be divided: browsers know no French syllables."""
    return _LONG_WORD.sub(lambda word: _halved(word[0]), label)


def _halved(word: str) -> str:
    """A word with a soft hyphen before the consonant and vowel that are nearest to its middle."""
    places = [found.start() for found in _SYLLABLE.finditer(word, 3, len(word) - 2)]
    at = min(places, key=lambda place: abs(place - len(word) // 2), default=0)
    return f"{word[:at]}{SOFT_HYPHEN}{word[at:]}" if at else word


def _office(unit: Unit, *, addresses: bool) -> Office:
    mailbox = ", ".join(channel.address for channel in unit.channels) if addresses else ""
    return Office(code=unit.code, name=unit.name, mailbox=mailbox)


def _row(code: str | None, by_permit: Iterable[list[Cell]], offices: Mapping[str, Office]) -> Row:
    known = departments().get(code or "")
    return Row(
        code=code or "–",
        name=known.name if known else "Département inconnu",
        region=regions()[known.region].name if known else "–",
        cells=tuple(_lines(cells, offices) for cells in by_permit),
    )


def _lines(cells: Iterable[Cell], offices: Mapping[str, Office]) -> tuple[CellLine, ...]:
    """The lines of a cell; filers that are treated alike share one."""
    found: dict[_Said, list[Filer]] = defaultdict(list)
    for cell in cells:
        for answer in cell.outcomes:
            found[_said(answer, cell.depends_on)].append(cell.filer)
    return tuple(
        CellLine(
            units=tuple(offices[code] for code in units),
            rule=rule,
            routed=routed,
            why=why,
            cases=cases,
            told=told,
            filers="" if len(filers) == len(Filer) else ", ".join(FILERS[f] for f in filers),
        )
        for (units, rule, routed, why, cases, told), filers in found.items()
    )


def _said(answer: CellOutcome, depends_on: Collection[Axis]) -> _Said:
    outcome = answer.outcome
    why = ", ".join(REASONS.get(reason, reason) for reason in outcome.reasons)
    cases = dict.fromkeys(_when(each, depends_on) for each in answer.classes)
    return (
        outcome.units,
        outcome.rule or "",
        outcome.routed,
        why,
        " ; ".join(cases),
        _told(outcome),
    )


def _told(outcome: Outcome) -> str:
    """How it is told, where that is not as usual."""
    informed = f"pour information : {', '.join(outcome.inform)}" if outcome.inform else ""
    return " ; ".join(filter(None, (informed, NOTIFY[outcome.notify])))


def _when(case_class: CaseClass, depends_on: Collection[Axis]) -> str:
    """What tells these cases from the others of their cell, in French."""
    since, before = case_class.filed
    filed = [
        f"déposé à partir du {since:%d/%m/%Y}" if since else "",
        f"déposé avant le {before:%d/%m/%Y}" if before else "",
    ]
    parts = {
        Axis.PROCEDURE: f"démarche {', '.join(map(str, case_class.procedures))}",
        Axis.STATE: ", ".join(STATES[state] for state in case_class.states),
        Axis.FILED: ", ".join(filter(None, filed)),
    }
    return " · ".join(part for axis, part in parts.items() if axis in depends_on)
