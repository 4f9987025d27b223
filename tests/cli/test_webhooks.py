"""`wif webhooks` and what `wif doctor` says of hints."""

import json
from pathlib import Path

import pytest

from store import hints
from store.hints import ReceivedHint
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.processes import Ran, wif

URL = "https://wif.example/hints"

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def run(harness: Harness, tmp_path: Path, *arguments: str) -> Ran:
    settings = harness.runtime.settings
    return wif(
        *arguments,
        WIF_TPS_URL=str(settings.tps_url),
        WIF_TPS_TOKEN=harness.tps.token,
        WIF_TPS_API="v2",
        WIF_DATABASE_URL=settings.database,
        WIF_VAR_DIR=str(tmp_path / "var"),
        WIF_TPS_PROCEDURES=str(PARIS_FORM),
        WIF_TPS_WEBHOOK_SECRETS=str(tmp_path / "secrets"),
    )


def test_a_webhook_from_its_making_to_its_end(harness: Harness, tmp_path: Path) -> None:
    made = run(harness, tmp_path, "webhooks", "create", str(PARIS_FORM), "--url", URL)
    assert made.returncode == 0, made.stderr
    (webhook,) = harness.tps.v2.webhooks.values()
    harness.run()
    with harness.runtime.database.begin() as connection:
        hint = ReceivedHint(procedure=PARIS_FORM, source="webhook:1")
        hints.note(connection, [hint], harness.now)
    listed = json.loads(run(harness, tmp_path, "webhooks", "list", "--json").stdout)
    assert [(row["procedure"], row["id"], row["enabled"]) for row in listed] == [
        (PARIS_FORM, webhook.id, True)
    ]
    assert listed[0]["heard_at"] == harness.now.isoformat()
    renewed = run(harness, tmp_path, "webhooks", "renew", str(PARIS_FORM), webhook.id)
    webhook.enabled = False
    told = run(harness, tmp_path, "doctor", "--json")
    (found,) = [each for each in json.loads(told.stdout) if each["check"] == "hints"]
    assert found["state"] == "wrong"
    assert f"switched off the webhook of {PARIS_FORM}" in found["advice"]
    on = run(harness, tmp_path, "webhooks", "enable", str(PARIS_FORM), webhook.id)
    assert webhook.enabled
    for each in (made, renewed, told, on):
        assert "whsec_" not in each.stdout + each.stderr


@pytest.mark.parametrize("url", ["http://wif.example/hints", "https://", "wif.example", URL + "?a"])
def test_an_address_that_tps_would_not_take_is_refused(
    harness: Harness, tmp_path: Path, url: str
) -> None:
    refused = run(harness, tmp_path, "webhooks", "create", str(PARIS_FORM), "--url", url)
    assert refused.returncode == 2
    assert "--url: must be https" in refused.stderr


def test_a_server_without_webhooks_is_told_in_a_line(harness: Harness, tmp_path: Path) -> None:
    harness.tps.v2.webhooks_available = False
    refused = run(harness, tmp_path, "webhooks", "list")
    assert refused.returncode == 1
    assert refused.stderr.startswith("TPS has no webhooks")
