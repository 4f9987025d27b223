"""What every channel does: it checks an address, and hands messages over to it.

The registry of kinds is `connectors/channels.py`: configuration, outbox, breakers and delivering
know kinds from there alone. Batching over one connection is a channel's own affair, and so is
who is to blame for a failure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from connectors.closing import Opened
from connectors.notice import Message
from routing.failures import Cause, Failure
from routing.forms import TpsApi


class ChannelSettingsError(Exception):
    """A setting that a channel needs is missing or wrong. Its text is one line, without secrets."""


class AddressForm(StrEnum):
    """What an address of a channel is; the configuration is checked by it."""

    MAILBOX = "mailbox"
    URL = "url"
    LABEL = "label"
    """What people call it: several units may share one."""


class Blame(StrEnum):
    """What a failure says of what stands behind the channel."""

    NOBODY = "nobody"
    """Nobody was asked: our own configuration or code."""
    MESSAGE = "message"
    """The peer did its work, and refused this message for good."""
    ADDRESS = "address"
    """This address fails; the way to it works."""
    WAY = "way"
    """The way to all addresses fails."""
    UNCLEAR = "unclear"
    """The address or the way: it counts against both."""


class SkipReason(StrEnum):
    """Why a message was skipped although nothing failed. It counts as cancelled."""

    CHOSEN = "group-chosen-in-tps"
    """A person chose another group since: it stays."""
    UNGROUPED = "form-without-groups"
    """The form has one group for all: there is nowhere to move a dossier to."""
    SUPERSEDED = "superseded"
    """The dossier has been reassigned since."""
    SWITCHED_OFF = "write-back-off"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a channel knows of a message that did not fail, beyond that.

    Attributes:
        skipped: why nothing was done, None when it was done.
        group: number of the group in which TPS has the dossier since; None where none was set.
    """

    skipped: SkipReason | None = None
    group: int | None = None


class RequestLimit(Protocol):
    """The limit of requests to TPS, which all workers keep together."""

    def take(self, *, reading: bool = False) -> None:
        """Return when one request may be made.

        Raises:
            routing.failures.Failure: not now; `retry_after` says when.
        """

    def pause_if_throttled(self, failure: Failure) -> None:
        """Let all workers pause when TPS asked for it."""


class ChannelSession(Opened, Protocol):
    """A channel in use for one batch: a context manager that lets go of what it opened."""

    def send(self, message: Message, address: str) -> Receipt | None:
        """Hand `message` over to `address`; it was accepted when this returns, unless the receipt
        says that it was skipped.

        A channel of which `addresses_at_once` is above 1 is called by as many threads.

        Raises:
            routing.failures.Failure: it was not, or nobody knows; `Channel.blame` says whether
                the address or the way to all addresses failed.
        """


class Channel(Protocol):
    """One kind of channel. It holds no connection and costs nothing to import."""

    @property
    def kind(self) -> str:
        """Its key in `units.yaml` and its name in tables, logs and metrics."""

    @property
    def address_form(self) -> AddressForm:
        """What its addresses are."""

    @property
    def description(self) -> str:
        """What an admin writes as its address, in French, for editors that complete."""

    @property
    def addresses_at_once(self) -> int:
        """How many addresses a batch is sent to at the same time: an address that hangs holds up
        itself alone. 1 where all share one connection."""

    @property
    def carries_many(self) -> bool:
        """Whether one message may tell of many dossiers: digests and reminders go by it."""

    @property
    def timeout(self) -> Cause:
        """The cause of an attempt that was cut off because our own time was up."""

    @property
    def outages(self) -> frozenset[Cause]:
        """Causes that only the way to all addresses brings: when it is back, what failed for
        them is due at once, and what is dead of them is replayed."""

    @property
    def disabling(self) -> frozenset[Cause]:
        """Causes by which a peer says that it wants nothing more at this address: it is disabled
        until an admin enables it or the address changes."""

    def check_address(self, address: str) -> None:
        """Accept an address of `units.yaml`.

        Raises:
            ValueError: what is wrong with it, without repeating it.
        """

    def check_ready(self, settings: Any, unit: str, address: str) -> None:  # noqa: ANN401
        """Look whether a message could be sent, as far as that is known without a request.

        Raises:
            routing.failures.Failure: it could not.
        """

    def blame(self, failure: Failure) -> Blame:
        """Who or what a failure of `ChannelSession.send` is to blame on."""

    def open(
        self,
        settings: Any,  # noqa: ANN401
        clock: Callable[[], datetime],
        limits: Mapping[TpsApi, RequestLimit],
        /,
    ) -> ChannelSession:
        """A session; nothing is connected before the first message.

        Args:
            settings: what the channel's own module says that it reads of the settings.
            clock: the present instant.
            limits: of requests by each version of the API of TPS, for channels that make some.

        Raises:
            ChannelSettingsError: a setting is missing or wrong.
        """
