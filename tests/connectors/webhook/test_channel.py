"""The webhook as a channel: whose fault a failure is, and what is known without asking."""

from pathlib import Path

import pytest

from config.settings import read
from connectors.channel import Blame
from connectors.webhook.channel import WebhookChannel
from routing.failures import Cause, Failure
from tests.fixtures.webhook import write_secrets

CHANNEL = WebhookChannel()


@pytest.mark.parametrize(
    "cause", [c for c in Cause if c.value.startswith("webhook") and c is not Cause.WEBHOOK_GONE]
)
def test_each_endpoint_answers_for_itself(cause: Cause) -> None:
    assert CHANNEL.blame(Failure(cause)) is Blame.ADDRESS


@pytest.mark.parametrize(
    ("failure", "whose"),
    [
        (Failure(Cause.WEBHOOK_GONE, status=410), Blame.MESSAGE),
        (Failure(Cause.WEBHOOK_GONE), Blame.NOBODY),
        (Failure(Cause.CHANNEL_MISSING), Blame.NOBODY),
        (Failure(Cause.INTERNAL), Blame.NOBODY),
    ],
)
def test_but_not_for_what_is_final_or_ours(failure: Failure, whose: Blame) -> None:
    assert CHANNEL.blame(failure) is whose


@pytest.mark.parametrize(
    ("unit", "address", "cause"),
    [
        ("UD075", "https://gestion.ud075.example/wif", None),
        ("UD075", "http://intranet.example/wif", None),
        ("UD075", "http://gestion.ud075.example/wif", Cause.WEBHOOK_FORBIDDEN),
        ("UD093", "https://gestion.ud093.example/wif", Cause.WEBHOOK_UNSIGNED),
    ],
)
def test_what_is_known_without_asking(
    tmp_path: Path, unit: str, address: str, cause: Cause | None
) -> None:
    folder = write_secrets(tmp_path / "webhooks", "UD075")
    settings = read(var_dir=tmp_path, webhook_secrets=folder, webhook_allow="Intranet.example")
    if cause is None:
        CHANNEL.check_ready(settings, unit, address)
        return
    with pytest.raises(Failure) as failed:
        CHANNEL.check_ready(settings, unit, address)
    assert failed.value.cause is cause
