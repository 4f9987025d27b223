"""Webhooks as a channel: one exchange for each message, several addresses at a time."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from connectors.channel import AddressForm, Blame
from connectors.closing import Closing
from connectors.notice import Message
from connectors.webhook.url import WebhookUrl
from routing.failures import Action, Cause, Failure


class WebhookSettings(Protocol):
    """What is read of the settings."""

    @property
    def webhook_secrets(self) -> Path | None: ...

    @property
    def webhook_allowed(self) -> frozenset[str]: ...


class WebhookChannel:
    """The channel `webhook`."""

    kind = "webhook"
    address_form = AddressForm.URL
    description = "Adresse https du logiciel de l'unité, qui reçoit chaque avis en JSON signé."
    addresses_at_once = 16
    carries_many = False
    timeout = Cause.WEBHOOK_TIMEOUT
    outages: frozenset[Cause] = frozenset()
    disabling = frozenset({Cause.WEBHOOK_GONE})

    def check_address(self, address: str) -> None:
        """Accept an http(s) address; where http and private hosts may be called is a setting.

        Raises:
            ValueError: it is none.
        """
        WebhookUrl.parse(address)

    def check_ready(self, settings: WebhookSettings, unit: str, address: str) -> None:
        """Look whether there are secrets to sign with, and whether the address may be posted to.

        Raises:
            Failure: `WEBHOOK_UNSIGNED` or `WEBHOOK_FORBIDDEN`.
        """
        from connectors.webhook.signing import read_secrets  # noqa: PLC0415

        url = WebhookUrl.parse(address)
        if not url.secure and url.host not in settings.webhook_allowed:
            raise Failure(Cause.WEBHOOK_FORBIDDEN)
        read_secrets(settings.webhook_secrets, unit)

    def blame(self, failure: Failure) -> Blame:
        """The address: each has a server and a way of its own."""
        if failure.action is Action.PERMANENT:
            return Blame.NOBODY if failure.status is None else Blame.MESSAGE
        return Blame.NOBODY if failure.cause is Cause.INTERNAL else Blame.ADDRESS

    def open(
        self, settings: WebhookSettings, clock: Callable[[], datetime], _limits: object
    ) -> "WebhookSession":
        """A session that keeps nothing open between two messages."""
        return WebhookSession(settings.webhook_secrets, settings.webhook_allowed, clock)


class WebhookSession(Closing):
    """Messages as signed JSON documents; may be used by several threads at once."""

    def __init__(
        self, secrets: Path | None, allowed: frozenset[str], clock: Callable[[], datetime]
    ) -> None:
        self._secrets = secrets
        self._allowed = allowed
        self._clock = clock

    def close(self) -> None:
        pass

    def send(self, message: Message, address: str) -> None:
        """Sign the document and post it; the endpoint has answered 2xx when this returns.

        Raises:
            Failure: it has not, or nobody knows.
        """
        # HTTP takes longer to load than most commands of the command line to run.
        from connectors.webhook.exchange import post  # noqa: PLC0415
        from connectors.webhook.payload import message_id, write_payload  # noqa: PLC0415
        from connectors.webhook.signing import read_secrets, signed_headers  # noqa: PLC0415

        keys = read_secrets(self._secrets, message.unit)
        body = write_payload(message)
        headers = signed_headers(keys, message_id(message), self._clock(), body)
        post(address, body, headers, allowed=self._allowed, now=self._clock())
