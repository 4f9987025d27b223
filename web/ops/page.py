"""The ops page as HTML."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from routing.ruleset import Outcome
from routing.simulation import CaseMove
from service.consumers import liveness
from service.operations import Operations
from store.dossiers import DossierStatus
from store.procedures import ProcedureStatus
from web.coverage.page import NOTIFY
from web.ops import wording

PATH = "/ops"
MANY = 12
"""Départements that are named; of more only the number is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureLine:
    """A procedure as it is shown."""

    number: int
    department: str | None
    kind: str
    filer: str
    status: str
    reason: str | None
    failures: int
    polled_at: datetime | None
    scanned_at: datetime | None
    dossiers: int
    pending: int
    aside: int

    @property
    def unwell(self) -> bool:
        """Whether a person should look at it."""
        return self.status != ProcedureStatus.ACTIVE or self.failures > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveLine:
    """What a publication sent elsewhere."""

    before: str
    after: str
    rule_before: str
    rule_after: str
    departments: str
    permit_types: str


def ops_page(ops: Operations, moves: Sequence[CaseMove], *, flower: str | None) -> str:
    """The page.

    Args:
        ops: the service at one instant.
        moves: what the last publication sent elsewhere.
        flower: where Flower is, None when it is nowhere.
    """
    lines = sorted(_procedures(ops), key=lambda line: (not line.unwell, line.number))
    return _template().render(
        ops=ops,
        procedures=lines,
        moves=[*map(_move, moves)],
        oldest_poll=min(ops.waits.polled.values(), default=None),
        liveness={pulse.name: liveness(pulse, ops.pulses, ops.at).value for pulse in ops.pulses},
        dead_parts=any(not pulse.is_alive(ops.at) for pulse in ops.pulses),
        flower=flower,
        path=PATH,
    )


@cache
def stylesheet() -> str:
    """The style of the public page, and what this one has more."""
    base = files("web.stats").joinpath("style.css").read_text(encoding="utf-8")
    return base + files("web.ops").joinpath("ops.css").read_text(encoding="utf-8")


@cache
def script() -> str:
    """What keeps the page up to date."""
    return files("web.ops").joinpath("refresh.js").read_text(encoding="utf-8")


def _procedures(ops: Operations) -> Iterator[ProcedureLine]:
    for row in ops.procedures:
        form = ops.rules.forms[row.number] if ops.rules else None
        counts = ops.dossiers.get(row.number, {})
        yield ProcedureLine(
            number=row.number,
            department=form.department if form else None,
            kind=form.kind if form else "",
            filer=form.filer.value if form else "",
            status=row.status,
            reason=row.reason,
            failures=row.failures,
            polled_at=row.polled_at,
            scanned_at=row.scanned_at,
            dossiers=sum(counts.values()),
            pending=counts.get(DossierStatus.PENDING, 0),
            aside=counts.get(DossierStatus.QUARANTINED, 0) + counts.get(DossierStatus.HELD, 0),
        )


def _move(move: CaseMove) -> MoveLine:
    places = sorted({each.department or "inconnu" for each in move.classes})
    kinds = sorted({each.permit_type or "inconnu" for each in move.classes})
    return MoveLine(
        before=_units(move.change.before),
        after=_units(move.change.after),
        rule_before=move.change.before.rule or "–",
        rule_after=move.change.after.rule or "–",
        departments=", ".join(places) if len(places) <= MANY else f"{len(places)} départements",
        permit_types=", ".join(kinds),
    )


def _units(outcome: Outcome) -> str:
    informed = f" (informe {', '.join(outcome.inform)})" if outcome.inform else ""
    notify = f" ({NOTIFY[outcome.notify]})" if outcome.notify else ""
    return ", ".join(outcome.units) + ("" if outcome.routed else " (repli)") + informed + notify


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(age=wording.age, instant=wording.instant, incident=wording.incident)
    source = files("web.ops").joinpath("ops.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source)
