"""After a restore to an earlier state: nothing that was sent since is sent again.

The log of sent messages says what offices were told after the backup. Dossiers that the backup
knows are brought forward to it at once: their deliveries count as sent, and they are with whom the
offices believe them to be. The others are recognised, and brought forward likewise, when they are
claimed for the first time. What is decided on them from then on is told as any change is.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from routing.assignment import ARRIVALS, Assignment, Event
from service.connections import Connections
from store import bring_forward, restored_sends
from store.audit.log import AuditEntry, Step
from store.bring_forward import KnownDossier
from store.deliveries import DeliveryState
from store.dossiers import DossierRecord
from store.sent_log import SentMessage

REASON = "sent-before-restore"
"""Why a delivery counts as sent though this database sent nothing."""


@dataclass(slots=True)
class BroughtForward:
    """What the log of sent messages changed.

    Attributes:
        messages: lines that were looked at.
        recorded: messages of known dossiers that the database did not know to be sent.
        moved: known dossiers that were assigned anew meanwhile.
        awaited: dossiers that the database does not know, which TPS will show again.
    """

    messages: int = 0
    recorded: int = 0
    moved: int = 0
    awaited: int = 0


def bring_database_forward(
    runtime: Connections, connection: Connection, sent: Iterable[SentMessage]
) -> BroughtForward:
    """Let the database know of `sent`, in the order of sending. Doing it twice changes nothing."""
    by_dossier: dict[str, list[SentMessage]] = defaultdict(list)
    report = BroughtForward()
    for message in sent:
        report.messages += 1
        by_dossier[message.dossier_ref].append(message)
    for dossier in bring_forward.known(connection):
        refs = runtime.audit.refs(dossier.procedure, dossier.number)
        messages = [message for ref in refs for message in by_dossier.pop(ref, ())]
        if not messages:
            continue
        recorded, assignment = _bring_forward(runtime, connection, dossier, messages)
        report.recorded += recorded
        if assignment != dossier.current:
            bring_forward.read_anew(connection, dossier, runtime.clock())
            report.moved += 1
    report.awaited = len(by_dossier)
    unknown = (message for messages in by_dossier.values() for message in messages)
    restored_sends.replace(connection, unknown)
    return report


def recognise(
    runtime: Connections, connection: Connection, claimed: Sequence[DossierRecord]
) -> tuple[DossierRecord, ...]:
    """Claimed dossiers, those of which an office was told before a restore brought forward.

    Part of the claim's transaction. It asks one short question where nothing was restored, and
    none where every dossier had its units before.
    """
    new = {each.key: each for each in claimed if each.assignment.ordinal == 0}
    if not new or not restored_sends.exist(connection):
        return tuple(claimed)
    refs = {ref: key for key in new for ref in runtime.audit.refs(*key)}
    assignments: dict[tuple[int, int], Assignment] = {}
    for ref, messages in restored_sends.take(connection, refs.keys()).items():
        key = refs[ref]
        dossier = KnownDossier(*key, Assignment((), 0))
        _, assignments[key] = _bring_forward(runtime, connection, dossier, messages)
    return tuple(
        replace(each, assignment=assignments.get(each.key, each.assignment)) for each in claimed
    )


def _bring_forward(
    runtime: Connections,
    connection: Connection,
    dossier: KnownDossier,
    messages: Sequence[SentMessage],
) -> tuple[int, Assignment]:
    """Record what one dossier's offices were told, and who has it since.

    Gives how many messages were recorded, and who has it.
    """
    now = runtime.clock()
    stored = bring_forward.states(connection, dossier)
    entries: list[AuditEntry] = []
    units, recorded = dossier.current.units, 0
    for message in messages:
        state = stored.get(bring_forward.identity(message))
        if state is DeliveryState.SENT:
            continue
        bring_forward.record_sent(connection, dossier, message, now=now, queued=state is not None)
        stored[bring_forward.identity(message)] = DeliveryState.SENT
        steps = (Step.QUEUED, Step.SENT) if state is None else (Step.SENT,)
        told = (message.event, message.unit, message.channel)
        entries += [_entry(dossier, step, *told) for step in steps]
        units, recorded = _after(units, message), recorded + 1
    assignment = Assignment(
        units or dossier.current.units,
        max(dossier.current.ordinal, *(each.assignment for each in messages)),
    )
    if assignment != dossier.current:
        withdrawn = bring_forward.assign(connection, dossier, assignment, now)
        entries += [_entry(dossier, Step.CANCELLED, *each) for each in withdrawn]
    if set(assignment.units) != set(dossier.current.units):
        entries += [_entry(dossier, Step.REASSIGNED, None, unit) for unit in assignment.units]
    runtime.audit.append(connection, now, entries)
    return recorded, assignment


def _after(units: tuple[str, ...], message: SentMessage) -> tuple[str, ...]:
    """Who has a dossier once a message of it was read."""
    if message.event in ARRIVALS and message.unit not in units:
        return (*units, message.unit)
    if message.event == Event.REASSIGNED_FROM:
        return tuple(unit for unit in units if unit != message.unit)
    return units


def _entry(
    dossier: KnownDossier, step: Step, event: str | None, unit: str, channel: str | None = None
) -> AuditEntry:
    return AuditEntry(
        step=step,
        procedure=dossier.procedure,
        number=dossier.number,
        event=event,
        channel=channel,
        unit=unit,
        reason=REASON,
    )
