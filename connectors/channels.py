"""The kinds of channel that there are. A new one is a folder beside this file and a line below."""

from collections.abc import Mapping

from connectors.channel import Channel
from connectors.mail.channel import MailChannel
from connectors.tps_group.channel import TpsGroupChannel
from connectors.webhook.channel import WebhookChannel

_ALL: tuple[Channel, ...] = (
    MailChannel(),
    WebhookChannel(),
    TpsGroupChannel(),
)

CHANNELS: Mapping[str, Channel] = {channel.kind: channel for channel in _ALL}
"""Every channel by its kind, the usual one first."""

DEFAULT_CHANNEL = _ALL[0].kind
"""What is meant where no channel is named."""
