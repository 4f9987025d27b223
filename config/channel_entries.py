"""Channels as they stand in `units.yaml`: one key that is the kind, and the options of that kind.

The kinds are those of the registry; for each there is a model of its own.
"""

import difflib
import functools
import operator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Discriminator, Field, Tag, create_model

from config.diagnostics import Code
from config.entry import Entry
from config.messages import tr
from config.values import refusal
from connectors.channel import AddressForm, Channel
from connectors.channels import CHANNELS, DEFAULT_CHANNEL


class ChannelEntry(Entry):
    """How a unit is told: the kind of channel is the key of its address."""

    kind: ClassVar[str]

    @property
    def address(self) -> str:
        """Where, in the words of the channel."""
        return str(getattr(self, self.kind))

    @property
    def shared(self) -> bool:
        """Whether an admin vouches for an address that looks like a mistake."""
        return bool(getattr(self, "functional", False))


_FUNCTIONAL = Field(
    default=False,
    description="true : boîte partagée, bien que l'adresse ressemble à celle d'une personne "
    "ou serve à plusieurs unités.",
)
_LONGEST_ADDRESS = {AddressForm.MAILBOX: 254, AddressForm.URL: 2_000, AddressForm.LABEL: 255}


def channel_entry(channel: Channel) -> type[ChannelEntry]:
    """What may stand in `units.yaml` for a channel of this kind."""
    address = Field(
        max_length=_LONGEST_ADDRESS[channel.address_form], description=channel.description
    )
    options: dict[str, Any] = {channel.kind: (str, address)}
    if channel.address_form is AddressForm.MAILBOX:
        options["functional"] = (bool, _FUNCTIONAL)
    name = "".join(word.capitalize() for word in channel.kind.split("_")) + "Entry"
    model: type[ChannelEntry] = create_model(name, __base__=ChannelEntry, **options)
    model.kind = channel.kind
    return model


CHANNEL_ENTRIES: dict[str, Any] = {
    kind: channel_entry(channel) for kind, channel in CHANNELS.items()
}


def _kind_of(value: Any) -> str:  # noqa: ANN401
    """Which kind of channel an entry is meant to be, with a slip of the pen too."""
    if isinstance(value, ChannelEntry):
        return f"{value.kind}-channel"
    keys = [str(key) for key in value] if isinstance(value, dict) else []
    near = (difflib.get_close_matches(key, CHANNELS, n=1) for key in keys)
    kind = next((key for key in keys if key in CHANNELS), None)
    kind = kind or next((found[0] for found in near if found), DEFAULT_CHANNEL)
    return f"{kind}-channel"


def _one_kind(value: Any) -> Any:  # noqa: ANN401
    kinds = [kind for kind in CHANNELS if isinstance(value, dict) and kind in value]
    if len(kinds) > 1:
        raise refusal(
            Code.WRONG_VALUE,
            tr("holds several channels: {names}", names=", ".join(kinds)),
            tr("write each as an entry of its own, after a dash"),
        )
    return value


if TYPE_CHECKING:
    AnyChannelEntry = ChannelEntry
else:
    _TAGGED = [Annotated[entry, Tag(f"{kind}-channel")] for kind, entry in CHANNEL_ENTRIES.items()]
    AnyChannelEntry = Annotated[
        functools.reduce(operator.or_, _TAGGED), Discriminator(_kind_of), BeforeValidator(_one_kind)
    ]
