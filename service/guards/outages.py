"""The end of an outage: what it delayed is due at once.

Retry delays grow to hours, and a delivery that failed for two days is dead; neither is the
fault of what waited. So no outage, however long, needs a person afterwards.
"""

from sqlalchemy import Connection

from connectors.channel import Channel
from routing.failures import TABLE, Failure, Sign
from service.connections import Connections
from store import deliveries, dossiers
from store.audit.log import AuditEntry, Step
from store.deliveries import DeliveryState, Filter
from store.dossiers import DossierStatus

TPS_OUTAGE = frozenset(
    cause for cause, verdict in TABLE.items() if verdict.sign in {Sign.UNANSWERED, Sign.DOWN}
)
"""Causes that a TPS that is down or in maintenance brings to every dossier."""


def counts(runtime: Connections, failure: Failure) -> bool:
    """Whether a failure of TPS counts for its breaker.

    A single pass asks for everything once: only unanswered calls would cost it time.
    """
    return not runtime.single_pass or failure.sign is Sign.UNANSWERED


def tps_is_back(runtime: Connections, connection: Connection, procedure: int) -> None:
    """A procedure answers again: what it did not answer for is due."""
    dossiers.due_again(
        connection,
        procedure=procedure,
        statuses=[DossierStatus.QUARANTINED],
        reasons=[cause.value for cause in TPS_OUTAGE],
        now=runtime.clock(),
    )


def channel_is_back(runtime: Connections, connection: Connection, channel: Channel) -> None:
    """A channel takes messages again: what failed in its outage is due, what died is replayed."""
    now = runtime.clock()
    reasons = sorted(cause.value for cause in channel.outages)
    if reasons:
        deliveries.due_again(connection, now, channel=channel.kind, reasons=reasons)
    for reason in reasons:
        wanted = Filter(state=DeliveryState.DEAD, channel=channel.kind, reason=reason)
        entries = [
            AuditEntry(
                step=Step.REPLAYED,
                procedure=procedure,
                number=number,
                event=event,
                unit=unit,
                reason=reason,
            )
            for procedure, number, event, unit in deliveries.replay(connection, wanted, now)
        ]
        runtime.audit.append(connection, now, entries)


def address_is_back(
    runtime: Connections, connection: Connection, channel: Channel, unit: str
) -> None:
    """The address of a unit takes messages again: what waits for it is due."""
    deliveries.due_again(connection, runtime.clock(), channel=channel.kind, unit=unit)
