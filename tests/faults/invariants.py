"""The one question asked after every scenario: was anything lost, or done twice?

Nobody is believed: what TPS lists, what the mailboxes got and what the audit
log tells are compared with the rows of the database, and with each other.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from routing.assignment import Event
from routing.ruleset import RuleSet
from service.guards.limits import LEASE
from simulator import Truth
from store.deliveries import DeliveryState
from store.dossiers import DossierStatus
from store.models import AuditLine, Delivery, Dossier, Procedure
from tests.faults.audit_invariants import audit_violations
from tests.faults.violations import Evidence, Kind, Rows, Violation, name_of

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


def check_invariants(
    connection: Connection, evidence: Evidence, *, final: bool = True
) -> list[Violation]:
    """Everything that is wrong.

    Args:
        connection: a transaction on the service's database.
        evidence: what is known besides.
        final: whether all work is done; otherwise what may still be done is not missed.
    """
    rows = _read(connection)
    violations = [*_always(rows, evidence)]
    if final:
        violations += [*_at_the_end(rows, evidence)]
    return violations


def _read(connection: Connection) -> Rows:
    dossiers = connection.execute(select(*Dossier.__table__.columns))
    deliveries = connection.execute(select(*Delivery.__table__.columns).order_by(Delivery.id))
    procedures = connection.execute(select(*Procedure.__table__.columns))
    rows = Rows(
        {(row.procedure, row.number): row for row in dossiers},
        deliveries.all(),
        {row.number: row for row in procedures},
    )
    for line in connection.execute(select(*AuditLine.__table__.columns).order_by(AuditLine.id)):
        if line.dossier_ref is not None:
            rows.lines[line.dossier_ref].append(line)
    return rows


def _always(rows: Rows, evidence: Evidence) -> Iterator[Violation]:
    """What must hold at any moment."""
    yield from _reasons(rows)
    yield from _keys(rows)
    yield from _clocks(rows, evidence)
    yield from _mails(rows, evidence)
    yield from audit_violations(rows, evidence)
    yield from _assignments(rows)


def _at_the_end(rows: Rows, evidence: Evidence) -> Iterator[Violation]:
    """What must hold once nothing is left to do."""
    listed = {(truth.procedure, truth.number): truth for truth in evidence.listed}
    for key, truth in listed.items():
        row = rows.dossiers.get(key)
        if row is None:
            yield Violation(Kind.MISSED, name_of(*key))
        else:
            yield from _settled(row, truth, rows)
    for key, row in rows.dossiers.items():
        if key not in listed and row.status != DossierStatus.GONE:
            yield Violation(Kind.LISTED_NO_MORE, f"{name_of(*key)} {row.status}")
    for row in rows.deliveries:
        if row.state in UNFINISHED:
            yield Violation(Kind.UNFINISHED, f"{_delivery(row)} {row.state}")
    for name, row in _leased(rows):
        yield Violation(Kind.LEASE, f"{name} {row.lease_token} outlived the work")


# --- dossiers ---------------------------------------------------------------------------------


def _settled(row: Any, truth: Truth, rows: Rows) -> Iterator[Violation]:  # noqa: ANN401
    name = name_of(row.procedure, row.number)
    paused = rows.procedures[row.procedure].status != "active"
    match row.status:
        case DossierStatus.ROUTED:
            shown = (truth.state.value, truth.department, truth.permit_type)
            if (row.state, row.department, row.permit_type) != shown:
                yield Violation(Kind.OUTDATED, name)
        case DossierStatus.GONE:
            yield Violation(Kind.GONE_THOUGH_LISTED, name)
        case DossierStatus.QUARANTINED:
            pass
        case DossierStatus.HELD if paused:
            pass
        case _:
            yield Violation(Kind.UNSETTLED, f"{name} {row.status}")


def _reasons(rows: Rows) -> Iterator[Violation]:
    aside = {DossierStatus.QUARANTINED, DossierStatus.GONE, DossierStatus.HELD}
    for key, row in rows.dossiers.items():
        if row.status in aside and not row.reason:
            yield Violation(Kind.UNEXPLAINED, f"{name_of(*key)} {row.status}")
    for row in rows.deliveries:
        if row.state == DeliveryState.DEAD and not row.reason:
            yield Violation(Kind.UNEXPLAINED, _delivery(row))
    for number, row in rows.procedures.items():
        if row.status != "active" and not row.reason:
            yield Violation(Kind.UNEXPLAINED, f"procedure {number} {row.status}")


# --- due times and leases ---------------------------------------------------------------------


def _clocks(rows: Rows, evidence: Evidence) -> Iterator[Violation]:
    waiting = {DossierStatus.PENDING, DossierStatus.QUARANTINED}
    for key, row in rows.dossiers.items():
        if row.status in waiting and _never(row.next_attempt_at, evidence.now):
            yield Violation(Kind.NEVER_DUE, f"{name_of(*key)} {row.status} {row.next_attempt_at}")
    unfinished = {DeliveryState.PENDING, DeliveryState.SENDING}
    for row in rows.deliveries:
        if row.state in unfinished and _never(row.next_attempt_at, evidence.now):
            yield Violation(Kind.NEVER_DUE, f"{_delivery(row)} {row.next_attempt_at}")
    for number, row in rows.procedures.items():
        if _never(row.next_poll_at, evidence.now):
            yield Violation(Kind.NEVER_DUE, f"procedure {number} {row.next_poll_at}")
    for name, row in _leased(rows):
        until = row.lease_until if hasattr(row, "lease_until") else row.next_attempt_at
        if until is None or (evidence.steady and until > evidence.now + LEASE):
            yield Violation(Kind.LEASE, f"{name} until {until}")


def _never(due: datetime | None, now: datetime) -> bool:
    return due is None or due > now + LONGEST_WAIT


def _leased(rows: Rows) -> Iterator[tuple[str, Any]]:
    for key, row in rows.dossiers.items():
        if row.lease_token is not None:
            yield name_of(*key), row
    for row in rows.deliveries:
        if row.lease_token is not None:
            yield _delivery(row), row
    for number, row in rows.procedures.items():
        if row.lease_token is not None:
            yield f"procedure {number}", row


# --- deliveries and mailboxes -----------------------------------------------------------------


def _keys(rows: Rows) -> Iterator[Violation]:
    keys = Counter(
        (row.procedure, row.number, row.event, row.unit, row.channel, row.assignment)
        for row in rows.deliveries
    )
    for key, count in keys.items():
        if count > 1:
            yield Violation(Kind.TWO_ROWS, f"{key} {count} times")


def _mails(rows: Rows, evidence: Evidence) -> Iterator[Violation]:
    """Deliveries and messages that say the same thing, laid side by side."""
    ids: dict[tuple[int, int, str, str], Counter[str]] = defaultdict(Counter)
    for told in evidence.told:
        ids[told.subject][told.message_id] += 1
        if told.recipient not in _mailboxes(evidence.rules, told.unit):
            yield Violation(Kind.MISADDRESSED, f"{told.subject} to {told.recipient}")
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
) -> Iterator[Violation]:
    sent, accepted = states[DeliveryState.SENT], len(ids)
    # What is being sent may have been accepted, and what an accident hit was.
    hit = states[DeliveryState.SENDING] + sum(1 for each in ids if accidents[each])
    uncertain = min(hit, states.total() - sent)
    if accepted < sent:
        yield Violation(Kind.SENT_BY_NOBODY, f"{subject}: {sent} sent, {accepted} accepted")
    if accepted > sent + uncertain:
        yield Violation(Kind.UNASKED, f"{subject}: {sent} sent, {accepted} accepted")
    for message_id, count in ids.items():
        if count > 1 + accidents[message_id]:
            yield Violation(Kind.COPY, f"{subject}: {count} times {message_id}")


def _listed(rows: Rows, evidence: Evidence) -> Iterator[Violation]:
    """What digests carried, laid beside what they list: each delivery stands once, in one."""
    digests = {told.message_id: told for told in evidence.told if told.carried}
    listed = Counter((told.unit, number) for told in digests.values() for number in told.carried)
    carried = [row for row in rows.deliveries if row.carrier is not None]
    sent = Counter((row.unit, row.number) for row in carried if row.state == DeliveryState.SENT)
    asked = Counter((row.unit, row.number) for row in carried)
    for key in listed.keys() | asked.keys():
        if listed[key] < sent[key]:
            yield Violation(Kind.SENT_BY_NOBODY, f"{key}: {sent[key]} sent, {listed[key]} listed")
        if listed[key] > asked[key]:
            yield Violation(Kind.UNASKED, f"{key}: {asked[key]} carried, {listed[key]} listed")


def _mailboxes(rules: RuleSet, unit: str) -> set[str]:
    known = rules.units.get(unit)
    return {channel.address for channel in known.channels} if known else set()


def _assignments(rows: Rows) -> Iterator[Violation]:
    """The last thing that a unit is told of a dossier is that it has it, if it has it."""
    last: dict[tuple[int, int], dict[str, str]] = defaultdict(dict)
    for row in rows.deliveries:
        # A reminder says nothing new of who has the dossier.
        if row.state != DeliveryState.CANCELLED and row.event != Event.LATE:
            last[row.procedure, row.number][row.unit] = row.event
    for key, row in rows.dossiers.items():
        told = last[key]
        for unit in {*told, *row.units}:
            has, thinks = unit in row.units, told.get(unit) in ARRIVALS
            if has != thinks:
                yield Violation(
                    Kind.NOT_TOLD, f"{name_of(*key)} {unit}: last told {told.get(unit)}"
                )


def _subject(row: Any) -> tuple[int, int, str, str]:  # noqa: ANN401
    # A digest has the number of the first delivery that it carries; its mail names none.
    return (row.procedure, row.number if row.procedure else 0, row.event, row.unit)


def _delivery(row: Any) -> str:  # noqa: ANN401
    return f"{name_of(row.procedure, row.number)} {row.event} {row.unit}"
