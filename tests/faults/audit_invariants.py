"""What the audit log must tell of each dossier and delivery, and in which order."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from store.audit.log import Step
from store.deliveries import DeliveryState
from store.dossiers import DossierStatus
from tests.faults.violations import PLACED, Evidence, Kind, Rows, Violation, name_of


def audit_violations(rows: Rows, evidence: Evidence) -> Iterator[Violation]:
    deliveries: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for row in rows.deliveries:
        deliveries[row.procedure, row.number].append(row)
    for key, row in rows.dossiers.items():
        refs = evidence.audit.refs(*key)
        lines = [line for ref in refs for line in rows.lines[ref]]
        name = name_of(*key)
        yield from _beginning(name, lines)
        yield from _placing(name, row, lines)
        yield from _standing(name, row, lines)
        if evidence.steady:
            yield from _time(name, lines)
        yield from _telling(name, deliveries[key], lines)


def _beginning(name: str, lines: Sequence[Any]) -> Iterator[Violation]:
    seen = [index for index, line in enumerate(lines) if line.step == Step.SEEN]
    if not seen:
        yield Violation(Kind.AUDIT_MISSING, f"{name} seen")
    elif len(seen) > 1:
        yield Violation(Kind.AUDIT_REPEATED, f"{name} seen")
    elif seen[0] != 0:
        yield Violation(Kind.AUDIT_ORDER, f"{name} begins with {lines[0].step}")


def _placing(name: str, row: Any, lines: Sequence[Any]) -> Iterator[Violation]:  # noqa: ANN401
    """Every decision stands behind its classification, and the last one is in force."""
    placed: list[str] = []
    before, at = None, None
    for line in lines:
        if line.step in PLACED or line.step == Step.REASSIGNED:
            # Several units of one decision stand together, with its instant.
            again = (before, at) == (line.step, line.at)
            if line.step in PLACED and before != Step.CLASSIFIED and not again:
                yield Violation(Kind.AUDIT_ORDER, f"{name} {line.step} after {before}")
            placed = [*placed, line.unit] if again else [line.unit]
        before, at = line.step, line.at
    if sorted(placed) != sorted(row.units):
        yield Violation(Kind.AUDIT_CONTRADICTS, f"{name} {placed} instead of {row.units}")


STANDING = {
    Step.QUARANTINED: DossierStatus.QUARANTINED,
    Step.GONE: DossierStatus.GONE,
    Step.HELD: DossierStatus.HELD,
    Step.CLASSIFIED: DossierStatus.ROUTED,
}
"""After which step a dossier stands how."""


def _standing(name: str, row: Any, lines: Sequence[Any]) -> Iterator[Violation]:  # noqa: ANN401
    last = next((line for line in reversed(lines) if line.step in STANDING), None)
    if row.status == DossierStatus.PENDING:
        return
    if last is None:
        yield Violation(Kind.AUDIT_MISSING, f"{name} {row.status}")
    elif STANDING[last.step] != row.status:
        yield Violation(Kind.AUDIT_CONTRADICTS, f"{name} {row.status} after {last.step}")
    elif row.status != DossierStatus.ROUTED and last.reason != row.reason:
        yield Violation(Kind.AUDIT_CONTRADICTS, f"{name} {row.reason} after {last.reason}")


def _time(name: str, lines: Sequence[Any]) -> Iterator[Violation]:
    if [line.at for line in lines] != sorted(line.at for line in lines):
        yield Violation(Kind.AUDIT_ORDER, f"{name} goes back in time")


COUNTED = {
    Step.SENT: DeliveryState.SENT,
    Step.CANCELLED: DeliveryState.CANCELLED,
}
"""Steps that a delivery takes once and that end it."""


def _telling(name: str, rows: Iterable[Any], lines: Sequence[Any]) -> Iterator[Violation]:
    """Each delivery has its lines, and none came before it was queued."""
    states: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        states[row.event, row.unit][row.state] += 1
    steps: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for line in lines:
        if line.event is None:
            continue
        what = (line.event, line.unit)
        steps[what][line.step] += 1
        if _ended(steps[what]) > steps[what][Step.QUEUED]:
            yield Violation(Kind.AUDIT_ORDER, f"{name} {what} {line.step} before it was queued")
    for what in states.keys() | steps.keys():
        yield from _counted(f"{name} {what}", states[what], steps[what])


def _ended(steps: Counter[str]) -> int:
    return steps[Step.SENT] + steps[Step.CANCELLED]


def _counted(name: str, states: Counter[str], steps: Counter[str]) -> Iterator[Violation]:
    expected = {Step.QUEUED: states.total(), **{step: states[at] for step, at in COUNTED.items()}}
    for step, count in expected.items():
        if steps[step] < count:
            yield Violation(Kind.AUDIT_MISSING, f"{name} {step}: {steps[step]} of {count}")
        elif steps[step] > count:
            yield Violation(Kind.AUDIT_REPEATED, f"{name} {step}: {steps[step]} for {count}")
    if steps[Step.DEAD] < states[DeliveryState.DEAD]:
        yield Violation(Kind.AUDIT_MISSING, f"{name} {Step.DEAD}")
