"""The write port by v2: each method is one document."""

from connectors.tps.groups import Group, Placed
from connectors.tps.v2 import groups, webhooks
from connectors.tps.v2.client import V2Client
from connectors.tps.webhooks import NewSecret, TpsWebhook


class TpsV2Writing:
    """What can be changed in one TPS server; see `connectors.tps.port.TpsWritePort`."""

    def __init__(self, client: V2Client) -> None:
        """Prepare the port; nothing is sent yet. The client is closed with it."""
        self._client = client

    def try_out(self) -> None:
        """Ask for nothing but an answer."""
        groups.answers(self._client)

    def groups(self, procedure: int) -> tuple[Group, ...]:
        """The open groups of a form."""
        return groups.groups_of(self._client, procedure)

    def placed(self, procedure: int, number: int) -> Placed:
        """The group that has a dossier."""
        return groups.placed(self._client, procedure, number)

    def move(self, procedure: int, number: int, dossier: Placed, group: Group) -> bool:
        """Give a dossier to another group of its form; False when TPS refuses to."""
        return groups.move(self._client, procedure, number, dossier, group)

    def webhooks(self, procedure: int) -> tuple[TpsWebhook, ...]:
        """The webhooks of a procedure."""
        return webhooks.webhooks_of(self._client, procedure)

    def create_webhook(self, procedure: int, *, url: str, label: str) -> NewSecret:
        """Let the server tell `url` of every event that matters here."""
        return webhooks.create_webhook(self._client, procedure, url=url, label=label)

    def renew_secret(self, procedure: int, webhook: str) -> NewSecret:
        """A new secret for a webhook."""
        return webhooks.renew_secret(self._client, procedure, webhook)

    def enable_webhook(self, procedure: int, webhook: str) -> None:
        """Switch a webhook on again."""
        webhooks.enable_webhook(self._client, procedure, webhook)

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()
