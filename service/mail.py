"""Mail to those who run the service: alarms and seals, which are no deliveries."""

from typing import TYPE_CHECKING

from config.foreign_messages import translated
from config.settings import Settings, SettingsError
from connectors.channel import ChannelSettingsError
from connectors.mail.channel import open_sender

if TYPE_CHECKING:
    from connectors.mail.sender import Sender


def mail_sender(settings: Settings) -> "Sender":
    """A way to send mail: the SMTP server of the settings, or files in the outbox.

    Raises:
        SettingsError: the server's address or the sender's is wrong.
    """
    try:
        return open_sender(settings)
    except ChannelSettingsError as error:
        raise SettingsError(translated(str(error))) from None
