"""Mail as a channel: one SMTP connection for a batch, or files where there is no server."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from connectors.channel import AddressForm, Blame, ChannelSettingsError
from connectors.closing import Closing
from connectors.mail.blame import blame
from connectors.notice import Message, Trial
from connectors.secret import Secret
from routing.failures import Cause, Failure
from routing.mailbox import Mailbox
from routing.units import MAIL_CHANNEL

if TYPE_CHECKING:
    from connectors.mail.sender import Sender


class MailSettings(Protocol):
    """What is read of the settings."""

    @property
    def smtp_url(self) -> Secret | None: ...

    @property
    def mail_from(self) -> str: ...

    @property
    def outbox(self) -> Path: ...

    @property
    def smime_certificate(self) -> str | None: ...

    @property
    def smime_key(self) -> Secret | None: ...


class MailChannel:
    """The channel `mail`."""

    kind = MAIL_CHANNEL
    address_form = AddressForm.MAILBOX
    description = "Boîte fonctionnelle du service."
    addresses_at_once = 1
    carries_many = True
    timeout = Cause.MAIL_TIMEOUT
    outages = frozenset(
        {Cause.MAIL_UNREACHABLE, Cause.MAIL_TLS, Cause.MAIL_AUTH_REFUSED, Cause.MAIL_UNWRITABLE}
    )

    disabling: frozenset[Cause] = frozenset()

    def check_address(self, address: str) -> None:
        """Accept one mailbox, without a name.

        Raises:
            ValueError: it is none.
        """
        Mailbox.parse(address)

    def check_ready(self, settings: MailSettings, unit: str, address: str) -> None:
        """Nothing: the server is one for all, and `wif doctor` asks it."""

    def blame(self, failure: Failure) -> Blame:
        """The server, or the mailbox behind it."""
        return blame(failure)

    def open(
        self, settings: MailSettings, clock: Callable[[], datetime], _limits: object
    ) -> "MailSession":
        """One connection, made by the first message.

        Raises:
            ChannelSettingsError: the server's address or the sender's is wrong.
        """
        return MailSession(open_sender(settings), settings.mail_from, clock)


class MailSession(Closing):
    """Notices as mails through one sender."""

    def __init__(self, sender: "Sender", mail_from: str, clock: Callable[[], datetime]) -> None:
        self._sender = sender
        self._mail_from = mail_from
        self._clock = clock

    def close(self) -> None:
        self._sender.close()

    def send(self, message: Message, address: str) -> None:
        """Compose the mail and hand it over.

        Raises:
            Failure: it was not accepted, or nobody knows.
        """
        # Templates take longer to load than most commands of the command line to run.
        from connectors.mail.message import compose, compose_trial  # noqa: PLC0415

        at, sender = self._clock(), self._mail_from
        if isinstance(message, Trial):
            mail = compose_trial(message, sender=sender, recipient=address, at=at)
        else:
            mail = compose(message, sender=sender, recipient=address, at=at)
        self._sender.send(mail)


def open_sender(settings: MailSettings) -> "Sender":
    """A way to send mail, signed where the settings have a certificate: the SMTP server of the
    settings, or files in the outbox.

    Raises:
        ChannelSettingsError: the server's address or the sender's is wrong, or the certificate.
    """
    from connectors.mail.sender import open_sender as open_  # noqa: PLC0415

    try:
        Mailbox.parse(settings.mail_from)
    except ValueError as error:
        raise ChannelSettingsError(f"WIF_MAIL_FROM: {error}") from None
    url = settings.smtp_url
    try:
        made = open_(url.get_secret_value() if url else None, settings.outbox, settings.mail_from)
    except ValueError as error:
        raise ChannelSettingsError(f"WIF_SMTP_URL: {error}") from None
    return _signing(settings, made)


def _signing(settings: MailSettings, sender: "Sender") -> "Sender":
    certificate, key = settings.smime_certificate, settings.smime_key
    if certificate is None or key is None:
        return sender
    from connectors.mail.smime import SigningSender, signer_of  # noqa: PLC0415

    try:
        return SigningSender(sender, signer_of(certificate, key.get_secret_value()))
    except ValueError:
        raise ChannelSettingsError("WIF_SMIME_KEY, WIF_SMIME_CERTIFICATE: cannot sign") from None
