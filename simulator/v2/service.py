"""What the GraphQL API of the simulated TPS has besides dossiers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(slots=True)
class Webhook:
    """A webhook that a client has registered. Nothing is ever sent to it from here.

    Attributes:
        id: its id.
        procedure: id of the form.
        url: where events are to be posted.
        event_types: names of the events.
        label: what its owner calls it.
        secrets: that sign what is sent, the newest first.
        enabled: whether it is on.
    """

    id: str
    procedure: int
    url: str
    event_types: tuple[str, ...]
    label: str
    secrets: list[str]
    enabled: bool = True


@dataclass(slots=True, kw_only=True)
class V2Service:
    """The switches and the memory of v2.

    Attributes:
        instant: writes an instant.
        available: whether the server has this API at all.
        webhooks_available: whether it has the mutations of webhooks, as few servers do.
        token_writes: whether the token may change anything.
        selected: every field that was asked for and given, as `Type.field`.
        slow_above: dossiers of a page above which execution runs into its time limit, None for
            none.
        largest_page: rows of a page at most.
        cursors_from: cursors that were made before this is raised are refused.
        webhooks: by id.
        schema: file of the schema to execute; None: the published one where it is at hand, else
            the simulator's own.
    """

    instant: Callable[[datetime], str]
    available: bool = True
    webhooks_available: bool = True
    token_writes: bool = True
    selected: set[str] = field(default_factory=set)
    slow_above: int | None = None
    largest_page: int = 100
    cursors_from: int = 0
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    schema: Path | None = None

    def forget_cursors(self) -> None:
        """Refuse every cursor that was given so far."""
        self.cursors_from += 1
