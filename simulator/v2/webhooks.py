"""The webhooks that clients register over v2, as servers with that feature have them."""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from simulator.v2.context import Context, refused
from simulator.v2.ids import number_of
from simulator.v2.nodes import Resolver
from simulator.v2.service import Webhook

_Arguments = Mapping[str, Any]


def _create(_: object, context: Context, arguments: _Arguments) -> object:
    given = arguments["input"]
    found = given["demarche"]
    procedure = found.get("number") or number_of(found.get("id"), "Procedure")
    if procedure not in context.state.procedures:
        return {"errors": [{"message": "Démarche introuvable"}]}
    made = Webhook(
        id=f"webhook-{len(context.service.webhooks) + 1}",
        procedure=procedure,
        url=given["url"],
        event_types=tuple(given["eventTypes"]),
        label=given.get("label") or "",
        secrets=[],
    )
    context.service.webhooks[made.id] = made
    return {"webhook": made, "secret": _new_secret(made)}


def _change(_: object, context: Context, arguments: _Arguments) -> object:
    given = arguments["input"]
    webhook = _known(context, given["webhookId"])
    webhook.url = given.get("url") or webhook.url
    webhook.label = given.get("label") or webhook.label
    webhook.event_types = tuple(given.get("eventTypes") or webhook.event_types)
    return {"webhook": webhook}


def _delete(_: object, context: Context, arguments: _Arguments) -> object:
    webhook = _known(context, arguments["input"]["webhookId"])
    del context.service.webhooks[webhook.id]
    return {"webhook": webhook}


def _renew(_: object, context: Context, arguments: _Arguments) -> object:
    webhook = _known(context, arguments["input"]["webhookId"])
    return {"webhook": webhook, "secret": _new_secret(webhook)}


def _enable(_: object, context: Context, arguments: _Arguments) -> object:
    webhook = _known(context, arguments["input"]["webhookId"])
    webhook.enabled = True
    return {"webhook": webhook}


def _disable(_: object, context: Context, arguments: _Arguments) -> object:
    webhook = _known(context, arguments["input"]["webhookId"])
    webhook.enabled = False
    return {"webhook": webhook}


def _all(_: object, context: Context, arguments: _Arguments) -> object:
    found = arguments["demarche"]
    procedure = found.get("number") or number_of(found.get("id"), "Procedure")
    return [each for each in context.service.webhooks.values() if each.procedure == procedure]


def _one(_: object, context: Context, arguments: _Arguments) -> object:
    return _known(context, arguments["id"])


def _known(context: Context, webhook: str) -> Webhook:
    found = context.service.webhooks.get(webhook)
    if found is None:
        raise refused("Webhook not found", "not_found")
    return found


def _new_secret(webhook: Webhook) -> str:
    """One more secret, in front; the older ones sign as well for a while."""
    digest = sha256(f"{webhook.id}:{len(webhook.secrets)}".encode()).digest()[:24]
    webhook.secrets.insert(0, f"whsec_{b64encode(digest).decode()}")
    return webhook.secrets[0]


WEBHOOKS: dict[str, Resolver] = {
    "Mutation.webhookCreer": _create,
    "Mutation.webhookModifier": _change,
    "Mutation.webhookSupprimer": _delete,
    "Mutation.webhookRenouvelerSecret": _renew,
    "Mutation.webhookActiver": _enable,
    "Mutation.webhookDesactiver": _disable,
    "Query.webhooks": _all,
    "Query.webhook": _one,
    "Webhook.eventTypes": lambda source, _, __: source.event_types,
    "Webhook.enabled": lambda source, _, __: source.enabled,
}
