"""Hints of TPS: looked at now instead of at the next poll, and otherwise not believed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from connectors.tps.hints import HintedEvent, parse_batch, parse_form
from connectors.tps.webhooks import EventType
from service.connections import Connections
from service.waker import Waker
from store import hints
from store.hints import FORM, THE_LIST, Due, Event, ReceivedHint

LISTED = {EventType.DELETED}
"""Events that only the list can confirm: a dossier that is gone cannot be read."""


def read_form(body: bytes) -> ReceivedHint:
    """What a form of the old kind hints at.

    Raises:
        MalformedHint: it does not name one procedure and one dossier.
    """
    procedure, number = parse_form(body)
    return ReceivedHint(procedure=procedure, source=FORM, numbers=frozenset({number}))


def read_batch(body: bytes, headers: Mapping[str, str], secrets: Path) -> ReceivedHint:
    """What a signed batch hints at.

    Args:
        body: as it was signed.
        headers: of the request.
        secrets: the folder of secrets, a file for each procedure.

    Raises:
        MalformedHint: it is no batch.
        UnverifiedBatch: none of the procedure's secrets signed it within five minutes.
    """
    batch = parse_batch(body, headers, secrets)
    return ReceivedHint(
        procedure=batch.procedure,
        source=f"webhook:{batch.webhook}",
        events=tuple(Event(each.sequence, _looks_at(each)) for each in batch.events),
    )


def _looks_at(event: HintedEvent) -> int | None:
    """What an event makes worth a look. A type that TPS will add one day counts as heard."""
    if event.type is None:
        return None
    return THE_LIST if event.type in LISTED else event.number or THE_LIST


def take(runtime: Connections, received: Sequence[ReceivedHint]) -> Due:
    """Store hints in one commit; what they make due is for the caller to wake."""
    now = runtime.clock()
    return runtime.database.run(lambda connection: hints.note(connection, received, now))


def follow(runtime: Connections, now: datetime) -> Due:
    """Make due what earlier hints asked for and could not have at once."""
    return runtime.database.run(lambda connection: hints.follow(connection, now))


def wake(waker: Waker, due: Due) -> None:
    """Wake workers for what became due."""
    for procedure in sorted(due.polls):
        waker.poll(procedure)
    for procedure in sorted(due.routes):
        waker.route(procedure)
