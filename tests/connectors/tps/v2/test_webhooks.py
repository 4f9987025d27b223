"""Managing webhooks over the simulated TPS, and a server that has none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

import simulator.v2
from connectors.tps.errors import TpsFailure
from connectors.tps.transport import Limits, Transport
from connectors.tps.v2 import webhooks
from connectors.tps.v2.client import V2Client
from connectors.tps.webhooks import EventType
from routing.failures import Cause
from simulator import Server
from tests.connectors.tps.samples import student_form

PROCEDURE = 1
URL = "https://wif.example/hints"
LIMITS = Limits(connect=5, read=5, whole=10, size=100_000, quick_retries=1)


@pytest.fixture
def client(tps: Server) -> Iterator[V2Client]:
    tps.simulator.open(student_form(PROCEDURE))
    token = tps.simulator.token
    made = V2Client(
        Transport(base_url=tps.url, token=lambda: token, token_in_query=False, limits=LIMITS)
    )
    yield made
    made.close()


def test_the_documents_fit_servers_that_have_webhooks() -> None:
    folder = Path(simulator.v2.__file__).parent
    base = "type Query { none: Int } type Mutation { none: Int }"
    schema = build_schema(base + (folder / "webhooks.graphql").read_text(encoding="utf-8"))
    for document in (webhooks.LIST, webhooks.CREATE, webhooks.RENEW, webhooks.ENABLE):
        assert validate(schema, parse(document.text)) == []
        assert document.operation in document.text


def test_a_webhook_is_made_renewed_switched_off_and_on(client: V2Client, tps: Server) -> None:
    made = webhooks.create_webhook(client, PROCEDURE, url=URL, label="here")
    assert made.secret.get_secret_value().startswith("whsec_")
    assert "whsec_" not in repr(made)
    (found,) = webhooks.webhooks_of(client, PROCEDURE)
    assert (found.id, found.url, found.label, found.enabled) == (made.webhook, URL, "here", True)
    kept = tps.simulator.v2.webhooks[made.webhook]
    assert set(kept.event_types) == {event.value for event in EventType}
    renewed = webhooks.renew_secret(client, PROCEDURE, made.webhook)
    assert kept.secrets == [
        renewed.secret.get_secret_value(),
        made.secret.get_secret_value(),
    ]
    kept.enabled = False
    assert not webhooks.webhooks_of(client, PROCEDURE)[0].enabled
    webhooks.enable_webhook(client, PROCEDURE, made.webhook)
    assert webhooks.webhooks_of(client, PROCEDURE)[0].enabled


def test_a_server_without_webhooks_refuses(client: V2Client, tps: Server) -> None:
    tps.simulator.v2.webhooks_available = False
    with pytest.raises(TpsFailure) as refused:
        webhooks.webhooks_of(client, PROCEDURE)
    assert refused.value.cause is Cause.TPS_REJECTED
    with pytest.raises(TpsFailure) as refused:
        webhooks.create_webhook(client, PROCEDURE, url=URL, label="here")
    assert refused.value.cause is Cause.TPS_REJECTED


def test_what_tps_does_not_make_is_told(client: V2Client) -> None:
    with pytest.raises(TpsFailure) as refused:
        webhooks.create_webhook(client, 99, url=URL, label="here")
    assert refused.value.cause is Cause.TPS_REJECTED
    with pytest.raises(TpsFailure) as unknown:
        webhooks.renew_secret(client, PROCEDURE, "webhook-9")
    assert unknown.value.cause is Cause.TPS_NOT_FOUND
