"""Groups of TPS as a channel: nobody is told; the office finds the dossier in its own list."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from connectors.channel import (
    AddressForm,
    Blame,
    ChannelSettingsError,
    Receipt,
    RequestLimit,
    SkipReason,
)
from connectors.closing import Closing
from connectors.notice import Message, Notice, Trial
from connectors.tps.writing import WriteSettings, open_write_port
from routing.failures import TABLE, Cause, Failure, Sign
from routing.forms import TpsApi
from routing.text import normalise
from routing.units import GROUP_CHANNEL

if TYPE_CHECKING:
    from connectors.tps_group.move import Mover


class TpsGroupSettings(WriteSettings, Protocol):
    """What is read of the settings."""

    @property
    def tps_write_back(self) -> bool: ...


_ABOUT_ONE = frozenset(
    {Cause.TPS_GROUP_MISSING, Cause.TPS_NOT_FOUND, Cause.TPS_MALFORMED, Cause.INTERNAL}
)
"""Causes that say nothing of other dossiers."""


class TpsGroupChannel:
    """The channel `tps_group`."""

    kind = GROUP_CHANNEL
    address_form = AddressForm.LABEL
    description = (
        "Libellé du groupe d'instructeurs de l'unité dans TPS, le même dans chaque démarche ; "
        "sans effet tant que WIF_TPS_WRITE_BACK n'est pas true."
    )
    addresses_at_once = 1
    carries_many = False
    timeout = Cause.TPS_TIMEOUT
    outages = frozenset(
        cause
        for cause, verdict in TABLE.items()
        if cause.value.startswith("tps-") and verdict.sign in {Sign.UNANSWERED, Sign.DOWN}
    )
    disabling: frozenset[Cause] = frozenset()

    def check_address(self, address: str) -> None:
        """Accept the label of a group.

        Raises:
            ValueError: it is blank, or more than one line.
        """
        if not normalise(address) or not address.isprintable():
            raise ValueError("is no label: write that of the group in TPS, on one line")

    def check_ready(self, settings: TpsGroupSettings, unit: str, address: str) -> None:
        """Nothing: whether the forms have the group is asked by `wif doctor`."""

    def blame(self, failure: Failure) -> Blame:
        """TPS, which is one for all, unless it says something of one dossier or group."""
        return Blame.NOBODY if failure.cause in _ABOUT_ONE else Blame.WAY

    def open(
        self,
        settings: TpsGroupSettings,
        _clock: Callable[[], datetime],
        limits: Mapping[TpsApi, RequestLimit],
    ) -> "TpsGroupSession":
        """A session that asks for the groups of a form once.

        Raises:
            ChannelSettingsError: there is no address of TPS or no token.
        """
        if not settings.tps_write_back:
            return TpsGroupSession(None)
        return TpsGroupSession(_mover(settings, limits[TpsApi.writing()]))


class TpsGroupSession(Closing):
    """Moves of dossiers, one after the other."""

    def __init__(self, mover: "Mover | None") -> None:
        self._mover = mover

    def close(self) -> None:
        if self._mover is not None:
            self._mover.close()

    def send(self, message: Message, address: str) -> Receipt:
        """Have TPS give the dossier to the group labelled `address`.

        A trial asks TPS whether it answers, and moves nothing.

        Raises:
            Failure: it did not, or nobody knows.
        """
        if self._mover is None:
            return Receipt(SkipReason.SWITCHED_OFF)
        if isinstance(message, Trial):
            self._mover.try_out()
            return Receipt()
        return self._move(self._mover, message, address)

    def _move(self, mover: "Mover", notice: Notice, label: str) -> Receipt:
        placement = notice.placement
        if placement is None:
            raise ValueError("a dossier whose place is not known cannot be moved")
        if not placement.current:
            return Receipt(SkipReason.SUPERSEDED)
        return mover.move(notice.procedure, notice.number, label, placement)


def _mover(settings: TpsGroupSettings, limit: RequestLimit) -> "Mover":
    # HTTP takes longer to load than most commands of the command line to run.
    from connectors.tps_group.move import SECONDS, Mover  # noqa: PLC0415

    try:
        return Mover(open_write_port(settings, seconds=SECONDS), limit)
    except ValueError as error:
        raise ChannelSettingsError(str(error)) from None
