"""The one question asked after every scenario: was anything lost, or done twice?

The oracle believes nobody: what TPS lists, what the mailboxes got and what the audit
log tells are compared with the rows of the database, and with each other.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select

from routing.assignment import Event
from routing.ruleset import RuleSet
from service.guards.limits import LEASE
from simulator import Truth
from store.audit.log import AuditLog, Step
from store.deliveries import DeliveryState
from store.dossiers import DossierStatus
from store.models import AuditLine, Delivery, Dossier, Procedure
from tests.faults.mailbox import Told

LONGEST_WAIT = timedelta(hours=24)
"""Nothing waits longer for its next attempt: so much of a peer's `Retry-After` is believed."""

ARRIVALS = frozenset({Event.FILED.value, Event.REASSIGNED_TO.value})
UNFINISHED = frozenset(
    {
        DeliveryState.PENDING,
        DeliveryState.SENDING,
        DeliveryState.WAITING,
        DeliveryState.CARRIED,
    }
)
PLACED = frozenset({Step.ROUTED, Step.UNROUTED})


class Kind(StrEnum):
    """What can be wrong."""

    MISSED = "missed"
    """TPS lists a dossier of which nothing is known."""
    UNSETTLED = "unsettled"
    """A dossier is neither routed nor set aside."""
    UNEXPLAINED = "unexplained"
    """A dossier, a delivery or a procedure was set aside without a reason."""
    OUTDATED = "outdated"
    """The facts that are stored are not those that TPS shows."""
    GONE_THOUGH_LISTED = "gone-though-listed"
    LISTED_NO_MORE = "listed-no-more"
    """A dossier that TPS deleted is not gone."""
    NOT_TOLD = "not-told"
    """No delivery tells a unit of a dossier that it has, or has no more."""
    UNFINISHED = "unfinished"
    """A delivery is neither sent, nor dead, nor withdrawn."""
    NEVER_DUE = "never-due"
    """Something waits without a due time, or for longer than anything may."""
    SENT_BY_NOBODY = "sent-by-nobody"
    """A delivery counts as sent and no mailbox has it."""
    UNASKED = "unasked"
    """A mailbox has a message that no delivery accounts for."""
    COPY = "copy"
    """A mailbox has a message twice and no accident accounts for it."""
    MISADDRESSED = "misaddressed"
    TWO_ROWS = "two-rows"
    """Two deliveries have one key."""
    LEASE = "lease"
    """A lease does not end, or outlived the work."""
    AUDIT_MISSING = "audit-missing"
    AUDIT_REPEATED = "audit-repeated"
    AUDIT_ORDER = "audit-order"
    AUDIT_CONTRADICTS = "audit-contradicts"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and with what."""

    kind: Kind
    about: str


@dataclass(slots=True, kw_only=True)
class Evidence:
    """All that the oracle looks at, as of one instant.

    Attributes:
        listed: what TPS lists.
        told: what the mailboxes got.
        accidents: for each message id, the copies for which an accident accounts: a process
            died, or a connection was cut, between the acceptance and our knowing of it.
        audit: finds the lines of a dossier.
        rules: the rule set in force.
        now: the present instant.
        steady: whether the clock never went back.
    """

    listed: Sequence[Truth]
    told: Sequence[Told]
    accidents: Counter[str]
    audit: AuditLog
    rules: RuleSet
    now: datetime
    steady: bool = True


@dataclass(slots=True)
class _Rows:
    """The database, read in one transaction."""

    dossiers: dict[tuple[int, int], Any]
    deliveries: Sequence[Any]
    procedures: dict[int, Any]
    lines: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))


def ask(connection: Connection, evidence: Evidence, *, final: bool = True) -> list[Finding]:
    """Everything that is wrong.

    Args:
        connection: a transaction on the service's database.
        evidence: what is known besides.
        final: whether all work is done; otherwise what may still be done is not missed.
    """
    rows = _read(connection)
    findings = [*_always(rows, evidence)]
    if final:
        findings += [*_at_the_end(rows, evidence)]
    return findings


def _read(connection: Connection) -> _Rows:
    dossiers = connection.execute(select(*Dossier.__table__.columns))
    deliveries = connection.execute(select(*Delivery.__table__.columns).order_by(Delivery.id))
    procedures = connection.execute(select(*Procedure.__table__.columns))
    rows = _Rows(
        {(row.procedure, row.number): row for row in dossiers},
        deliveries.all(),
        {row.number: row for row in procedures},
    )
    for line in connection.execute(select(*AuditLine.__table__.columns).order_by(AuditLine.id)):
        if line.dossier_ref is not None:
            rows.lines[line.dossier_ref].append(line)
    return rows


def _always(rows: _Rows, evidence: Evidence) -> Iterator[Finding]:
    """What must hold at any moment."""
    yield from _reasons(rows)
    yield from _keys(rows)
    yield from _clocks(rows, evidence)
    yield from _mails(rows, evidence)
    yield from _lines(rows, evidence)
    yield from _assignments(rows)


def _at_the_end(rows: _Rows, evidence: Evidence) -> Iterator[Finding]:
    """What must hold once nothing is left to do."""
    listed = {(truth.procedure, truth.number): truth for truth in evidence.listed}
    for key, truth in listed.items():
        row = rows.dossiers.get(key)
        if row is None:
            yield Finding(Kind.MISSED, _name(*key))
        else:
            yield from _settled(row, truth, rows)
    for key, row in rows.dossiers.items():
        if key not in listed and row.status != DossierStatus.GONE:
            yield Finding(Kind.LISTED_NO_MORE, f"{_name(*key)} {row.status}")
    for row in rows.deliveries:
        if row.state in UNFINISHED:
            yield Finding(Kind.UNFINISHED, f"{_delivery(row)} {row.state}")
    for name, row in _leased(rows):
        yield Finding(Kind.LEASE, f"{name} {row.lease_token} outlived the work")


# --- dossiers ---------------------------------------------------------------------------------


def _settled(row: Any, truth: Truth, rows: _Rows) -> Iterator[Finding]:  # noqa: ANN401
    name = _name(row.procedure, row.number)
    paused = rows.procedures[row.procedure].status != "active"
    match row.status:
        case DossierStatus.ROUTED:
            shown = (truth.state.value, truth.department, truth.permit_type)
            if (row.state, row.department, row.permit_type) != shown:
                yield Finding(Kind.OUTDATED, name)
        case DossierStatus.GONE:
            yield Finding(Kind.GONE_THOUGH_LISTED, name)
        case DossierStatus.QUARANTINED:
            pass
        case DossierStatus.HELD if paused:
            pass
        case _:
            yield Finding(Kind.UNSETTLED, f"{name} {row.status}")


def _reasons(rows: _Rows) -> Iterator[Finding]:
    aside = {DossierStatus.QUARANTINED, DossierStatus.GONE, DossierStatus.HELD}
    for key, row in rows.dossiers.items():
        if row.status in aside and not row.reason:
            yield Finding(Kind.UNEXPLAINED, f"{_name(*key)} {row.status}")
    for row in rows.deliveries:
        if row.state == DeliveryState.DEAD and not row.reason:
            yield Finding(Kind.UNEXPLAINED, _delivery(row))
    for number, row in rows.procedures.items():
        if row.status != "active" and not row.reason:
            yield Finding(Kind.UNEXPLAINED, f"procedure {number} {row.status}")


# --- due times and leases ---------------------------------------------------------------------


def _clocks(rows: _Rows, evidence: Evidence) -> Iterator[Finding]:
    waiting = {DossierStatus.PENDING, DossierStatus.QUARANTINED}
    for key, row in rows.dossiers.items():
        if row.status in waiting and _never(row.next_attempt_at, evidence.now):
            yield Finding(Kind.NEVER_DUE, f"{_name(*key)} {row.status} {row.next_attempt_at}")
    unfinished = {DeliveryState.PENDING, DeliveryState.SENDING}
    for row in rows.deliveries:
        if row.state in unfinished and _never(row.next_attempt_at, evidence.now):
            yield Finding(Kind.NEVER_DUE, f"{_delivery(row)} {row.next_attempt_at}")
    for number, row in rows.procedures.items():
        if _never(row.next_poll_at, evidence.now):
            yield Finding(Kind.NEVER_DUE, f"procedure {number} {row.next_poll_at}")
    for name, row in _leased(rows):
        until = row.lease_until if hasattr(row, "lease_until") else row.next_attempt_at
        if until is None or (evidence.steady and until > evidence.now + LEASE):
            yield Finding(Kind.LEASE, f"{name} until {until}")


def _never(due: datetime | None, now: datetime) -> bool:
    return due is None or due > now + LONGEST_WAIT


def _leased(rows: _Rows) -> Iterator[tuple[str, Any]]:
    for key, row in rows.dossiers.items():
        if row.lease_token is not None:
            yield _name(*key), row
    for row in rows.deliveries:
        if row.lease_token is not None:
            yield _delivery(row), row
    for number, row in rows.procedures.items():
        if row.lease_token is not None:
            yield f"procedure {number}", row


# --- deliveries and mailboxes -----------------------------------------------------------------


def _keys(rows: _Rows) -> Iterator[Finding]:
    keys = Counter(
        (row.procedure, row.number, row.event, row.unit, row.channel, row.assignment)
        for row in rows.deliveries
    )
    for key, count in keys.items():
        if count > 1:
            yield Finding(Kind.TWO_ROWS, f"{key} {count} times")


def _mails(rows: _Rows, evidence: Evidence) -> Iterator[Finding]:
    """Deliveries and messages that say the same thing, laid side by side."""
    ids: dict[tuple[int, int, str, str], Counter[str]] = defaultdict(Counter)
    for told in evidence.told:
        ids[told.subject][told.message_id] += 1
        if told.recipient not in _mailboxes(evidence.rules, told.unit):
            yield Finding(Kind.MISADDRESSED, f"{told.subject} to {told.recipient}")
    states: dict[tuple[int, int, str, str], Counter[str]] = defaultdict(Counter)
    for row in rows.deliveries:
        if row.carrier is None:
            states[_subject(row)][row.state] += 1
    yield from _listed(rows, evidence)
    for subject in ids.keys() | states.keys():
        yield from _side_by_side(subject, ids[subject], states[subject], evidence.accidents)


def _side_by_side(
    subject: tuple[int, int, str, str],
    ids: Counter[str],
    states: Counter[str],
    accidents: Counter[str],
) -> Iterator[Finding]:
    sent, accepted = states[DeliveryState.SENT], len(ids)
    # What is being sent may have been accepted, and what an accident hit was.
    hit = states[DeliveryState.SENDING] + sum(1 for each in ids if accidents[each])
    uncertain = min(hit, states.total() - sent)
    if accepted < sent:
        yield Finding(Kind.SENT_BY_NOBODY, f"{subject}: {sent} sent, {accepted} accepted")
    if accepted > sent + uncertain:
        yield Finding(Kind.UNASKED, f"{subject}: {sent} sent, {accepted} accepted")
    for message_id, count in ids.items():
        if count > 1 + accidents[message_id]:
            yield Finding(Kind.COPY, f"{subject}: {count} times {message_id}")


def _listed(rows: _Rows, evidence: Evidence) -> Iterator[Finding]:
    """What digests carried, laid beside what they list: each delivery stands once, in one."""
    digests = {told.message_id: told for told in evidence.told if told.carried}
    listed = Counter((told.unit, number) for told in digests.values() for number in told.carried)
    carried = [row for row in rows.deliveries if row.carrier is not None]
    sent = Counter((row.unit, row.number) for row in carried if row.state == DeliveryState.SENT)
    asked = Counter((row.unit, row.number) for row in carried)
    for key in listed.keys() | asked.keys():
        if listed[key] < sent[key]:
            yield Finding(Kind.SENT_BY_NOBODY, f"{key}: {sent[key]} sent, {listed[key]} listed")
        if listed[key] > asked[key]:
            yield Finding(Kind.UNASKED, f"{key}: {asked[key]} carried, {listed[key]} listed")


def _mailboxes(rules: RuleSet, unit: str) -> set[str]:
    known = rules.units.get(unit)
    return {channel.address for channel in known.channels} if known else set()


def _assignments(rows: _Rows) -> Iterator[Finding]:
    """The last thing that a unit is told of a dossier is that it has it, if it has it."""
    last: dict[tuple[int, int], dict[str, str]] = defaultdict(dict)
    for row in rows.deliveries:
        if row.state != DeliveryState.CANCELLED:
            last[row.procedure, row.number][row.unit] = row.event
    for key, row in rows.dossiers.items():
        told = last[key]
        for unit in {*told, *row.units}:
            has, thinks = unit in row.units, told.get(unit) in ARRIVALS
            if has != thinks:
                yield Finding(Kind.NOT_TOLD, f"{_name(*key)} {unit}: last told {told.get(unit)}")


# --- audit ------------------------------------------------------------------------------------


def _lines(rows: _Rows, evidence: Evidence) -> Iterator[Finding]:
    deliveries: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for row in rows.deliveries:
        deliveries[row.procedure, row.number].append(row)
    for key, row in rows.dossiers.items():
        refs = evidence.audit.refs(*key)
        lines = [line for ref in refs for line in rows.lines[ref]]
        name = _name(*key)
        yield from _beginning(name, lines)
        yield from _placing(name, row, lines)
        yield from _standing(name, row, lines)
        if evidence.steady:
            yield from _time(name, lines)
        yield from _telling(name, deliveries[key], lines)


def _beginning(name: str, lines: Sequence[Any]) -> Iterator[Finding]:
    seen = [index for index, line in enumerate(lines) if line.step == Step.SEEN]
    if not seen:
        yield Finding(Kind.AUDIT_MISSING, f"{name} seen")
    elif len(seen) > 1:
        yield Finding(Kind.AUDIT_REPEATED, f"{name} seen")
    elif seen[0] != 0:
        yield Finding(Kind.AUDIT_ORDER, f"{name} begins with {lines[0].step}")


def _placing(name: str, row: Any, lines: Sequence[Any]) -> Iterator[Finding]:  # noqa: ANN401
    """Every decision stands behind its classification, and the last one is in force."""
    placed: list[str] = []
    before, at = None, None
    for line in lines:
        if line.step in PLACED or line.step == Step.REASSIGNED:
            # Several units of one decision stand together, with its instant.
            again = (before, at) == (line.step, line.at)
            if line.step in PLACED and before != Step.CLASSIFIED and not again:
                yield Finding(Kind.AUDIT_ORDER, f"{name} {line.step} after {before}")
            placed = [*placed, line.unit] if again else [line.unit]
        before, at = line.step, line.at
    if sorted(placed) != sorted(row.units):
        yield Finding(Kind.AUDIT_CONTRADICTS, f"{name} {placed} instead of {row.units}")


STANDING = {
    Step.QUARANTINED: DossierStatus.QUARANTINED,
    Step.GONE: DossierStatus.GONE,
    Step.HELD: DossierStatus.HELD,
    Step.CLASSIFIED: DossierStatus.ROUTED,
}
"""After which step a dossier stands how."""


def _standing(name: str, row: Any, lines: Sequence[Any]) -> Iterator[Finding]:  # noqa: ANN401
    last = next((line for line in reversed(lines) if line.step in STANDING), None)
    if row.status == DossierStatus.PENDING:
        return
    if last is None:
        yield Finding(Kind.AUDIT_MISSING, f"{name} {row.status}")
    elif STANDING[last.step] != row.status:
        yield Finding(Kind.AUDIT_CONTRADICTS, f"{name} {row.status} after {last.step}")
    elif row.status != DossierStatus.ROUTED and last.reason != row.reason:
        yield Finding(Kind.AUDIT_CONTRADICTS, f"{name} {row.reason} after {last.reason}")


def _time(name: str, lines: Sequence[Any]) -> Iterator[Finding]:
    if [line.at for line in lines] != sorted(line.at for line in lines):
        yield Finding(Kind.AUDIT_ORDER, f"{name} goes back in time")


COUNTED = {
    Step.SENT: DeliveryState.SENT,
    Step.CANCELLED: DeliveryState.CANCELLED,
}
"""Steps that a delivery takes once and that end it."""


def _telling(name: str, rows: Iterable[Any], lines: Sequence[Any]) -> Iterator[Finding]:
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
            yield Finding(Kind.AUDIT_ORDER, f"{name} {what} {line.step} before it was queued")
    for what in states.keys() | steps.keys():
        yield from _counted(f"{name} {what}", states[what], steps[what])


def _ended(steps: Counter[str]) -> int:
    return steps[Step.SENT] + steps[Step.CANCELLED]


def _counted(name: str, states: Counter[str], steps: Counter[str]) -> Iterator[Finding]:
    expected = {Step.QUEUED: states.total(), **{step: states[at] for step, at in COUNTED.items()}}
    for step, count in expected.items():
        if steps[step] < count:
            yield Finding(Kind.AUDIT_MISSING, f"{name} {step}: {steps[step]} of {count}")
        elif steps[step] > count:
            yield Finding(Kind.AUDIT_REPEATED, f"{name} {step}: {steps[step]} for {count}")
    if steps[Step.DEAD] < states[DeliveryState.DEAD]:
        yield Finding(Kind.AUDIT_MISSING, f"{name} {Step.DEAD}")


def _subject(row: Any) -> tuple[int, int, str, str]:  # noqa: ANN401
    # A digest has the number of the first delivery that it carries; its mail names none.
    return (row.procedure, row.number if row.procedure else 0, row.event, row.unit)


def _name(procedure: int, number: int) -> str:
    return f"{procedure}/{number}"


def _delivery(row: Any) -> str:  # noqa: ANN401
    return f"{_name(row.procedure, row.number)} {row.event} {row.unit}"
