"""Managing the webhooks of TPS: which there are, new ones, new secrets, on again.

Few servers have them. One that has none refuses the query as a whole (`Cause.TPS_REJECTED`).
What a server calls an event is a text here, as it is in its batches.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from connectors.tps.errors import MalformedReason, Operation, RequestContext, failure
from connectors.tps.json_checks import MalformedJson, a_list, an_object
from connectors.tps.v2.client import V2Client
from connectors.tps.v2.documents import Document
from connectors.tps.v2.graphql_errors import data_of
from connectors.tps.webhooks import EventType, NewSecret, TpsWebhook
from routing.failures import Cause

_TEXT = (Path(__file__).resolve().parent / "webhooks.graphql").read_text(encoding="utf-8")
LIST = Document("Webhooks", _TEXT)
CREATE = Document("CreateWebhook", _TEXT)
RENEW = Document("RenewWebhook", _TEXT)
ENABLE = Document("EnableWebhook", _TEXT)

Given = TypeVar("Given")


def webhooks_of(client: V2Client, procedure: int) -> tuple[TpsWebhook, ...]:
    """The webhooks of a procedure.

    Raises:
        TpsFailure: they cannot be told; `TPS_REJECTED` also where a server has none at all.
    """
    place = _place(procedure)
    return client.ask(place, LIST, {"procedure": procedure}, lambda found: _all(found, place))


def create_webhook(client: V2Client, procedure: int, *, url: str, label: str) -> NewSecret:
    """Let a server tell `url` of every event of a procedure that matters here.

    Raises:
        TpsFailure: it does not.
    """
    events = [event.value for event in EventType]
    variables = {"procedure": procedure, "url": url, "events": events, "label": label}
    return _change(client, procedure, CREATE, variables, _secret)


def renew_secret(client: V2Client, procedure: int, webhook: str) -> NewSecret:
    """A new secret for a webhook; the old one signs as well for a day.

    Raises:
        TpsFailure: there is none.
    """
    return _change(client, procedure, RENEW, {"webhook": webhook}, _secret)


def enable_webhook(client: V2Client, procedure: int, webhook: str) -> None:
    """Switch a webhook on again; the server then sends what it kept.

    Raises:
        TpsFailure: it stays off.
    """
    _change(client, procedure, ENABLE, {"webhook": webhook}, _id)


def _change(
    client: V2Client,
    procedure: int,
    document: Document,
    variables: Mapping[str, object],
    reader: Callable[[Mapping[str, object]], Given],
) -> Given:
    place = _place(procedure)

    def read(content: object) -> Given:
        (payload,) = data_of(content, place).values()
        given = an_object(payload, MalformedReason.DATA)
        if given.get("errors"):
            raise failure(Cause.TPS_REJECTED, place)
        return reader(given)

    # Done twice it would make two webhooks, or two secrets.
    return client.ask(place, document, variables, read, repeatable=False)


def _all(content: object, place: RequestContext) -> tuple[TpsWebhook, ...]:
    rows = a_list(data_of(content, place).get("webhooks"), MalformedReason.DATA)
    found = (an_object(row, MalformedReason.DATA) for row in rows)
    return tuple(map(_webhook, found))


def _webhook(row: Mapping[str, object]) -> TpsWebhook:
    label = row.get("label")
    return TpsWebhook(
        id=_text(row.get("id")),
        label=label if isinstance(label, str) else None,
        url=_text(row.get("url")),
        enabled=row.get("enabled") is True,
    )


def _id(payload: Mapping[str, object]) -> str:
    return _text(an_object(payload.get("webhook"), MalformedReason.DATA).get("id"))


def _secret(payload: Mapping[str, object]) -> NewSecret:
    return NewSecret(_id(payload), SecretStr(_text(payload.get("secret"))))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise MalformedJson(MalformedReason.DATA)
    return value


def _place(procedure: int) -> RequestContext:
    return RequestContext(Operation.WEBHOOKS, procedure)
