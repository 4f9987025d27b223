"""The queues: one for each kind of work, so that workers can be given to one or to all."""

from connectors.channels import CHANNELS, DEFAULT_CHANNEL

POLL = "poll"
ROUTE = "route"
DELIVER = "deliver"
UPKEEP = "upkeep"


def of_channel(kind: str) -> str:
    """The queue of a channel's deliveries: `deliver` for mail, else `deliver-KIND`.

    So workers of one channel never wait for another one, whose servers hang.
    """
    return DELIVER if kind == DEFAULT_CHANNEL else f"{DELIVER}-{kind}"


def kind_of(queue: str) -> str | None:
    """The channel whose deliveries a queue holds, None for other queues."""
    return next((kind for kind in CHANNELS if of_channel(kind) == queue), None)


OTHER_CHANNELS = tuple(of_channel(kind) for kind in CHANNELS if kind != DEFAULT_CHANNEL)
ALL = (POLL, ROUTE, DELIVER, *OTHER_CHANNELS, UPKEEP)
