"""Secrets of webhooks go into files; one that is switched off is an incident until it is on."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.settings import Settings, SettingsError
from routing.failures import Failure
from routing.forms import TpsApi
from routing.incidents import IncidentKind
from service import tps_webhooks
from service.runtime import Runtime
from service.watch_health import check
from store import incidents
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness

URL = "https://wif.example/hints"


@pytest.fixture
def watching(harness: Harness, tmp_path: Path) -> Iterator[Runtime]:
    """A runtime that reads by v2 and has a folder for secrets."""
    more = {"tps_api": TpsApi.V2, "tps_webhook_secrets": tmp_path / "secrets"}
    settings = Settings(**{**harness.runtime.settings.model_dump(), **more})
    made = Runtime(settings, clock=harness.runtime.clock)
    yield made
    made.close()


def secrets_of(settings: Settings) -> list[str]:
    return (tps_webhooks.secrets_folder(settings) / str(PARIS_FORM)).read_text().split()


def open_incidents(harness: Harness) -> list[tuple[IncidentKind, str]]:
    with harness.runtime.database.read() as connection:
        return [(each.kind, each.subject) for each in incidents.lasting(connection)]


def test_a_secret_goes_into_a_file_of_its_owner(watching: Runtime, harness: Harness) -> None:
    settings = watching.settings
    webhook = tps_webhooks.create(settings, PARIS_FORM, URL)
    kept = harness.tps.v2.webhooks[webhook]
    assert secrets_of(settings) == kept.secrets
    path = tps_webhooks.secrets_folder(settings) / str(PARIS_FORM)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for _ in range(2):
        tps_webhooks.renew(settings, PARIS_FORM, webhook)
    assert secrets_of(settings) == kept.secrets[:2]
    assert list(path.parent.iterdir()) == [path]


def test_the_token_that_may_write_makes_them(watching: Runtime, harness: Harness) -> None:
    writing = {
        "tps_token": SecretStr("may-only-read"),
        "tps_write_token": SecretStr(harness.tps.token),
    }
    settings = watching.settings.model_copy(update=writing)
    assert tps_webhooks.create(settings, PARIS_FORM, URL) in harness.tps.v2.webhooks
    other = settings.model_copy(update={"tps_write_token": None})
    with pytest.raises(Failure):
        tps_webhooks.create(other, PARIS_FORM, URL)


def test_nothing_is_made_where_its_secret_could_not_be_kept(
    watching: Runtime, harness: Harness, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="WIF_TPS_WEBHOOK_SECRETS: needed"):
        tps_webhooks.create(harness.runtime.settings, PARIS_FORM, URL)
    (tmp_path / "secrets").write_text("a file")
    with pytest.raises(SettingsError, match="WIF_TPS_WEBHOOK_SECRETS: cannot be written"):
        tps_webhooks.create(watching.settings, PARIS_FORM, URL)
    assert harness.tps.v2.webhooks == {}


def test_a_refusal_leaves_no_file(watching: Runtime, harness: Harness) -> None:
    harness.tps.v2.webhooks_available = False
    with pytest.raises(Failure):
        tps_webhooks.create(watching.settings, PARIS_FORM, URL)
    assert list(tps_webhooks.secrets_folder(watching.settings).iterdir()) == []


def test_one_that_is_off_is_an_incident_until_it_is_on(watching: Runtime, harness: Harness) -> None:
    webhook = tps_webhooks.create(watching.settings, PARIS_FORM, URL)
    tps_webhooks.create(watching.settings, OTHER_FORM, URL)
    assert tps_webhooks.watch(watching) == 0
    harness.tps.v2.webhooks[webhook].enabled = False
    assert tps_webhooks.watch(watching) == 1
    assert tps_webhooks.watch(watching) == 1
    expected = [(IncidentKind.WEBHOOK_OFF, str(PARIS_FORM))]
    assert open_incidents(harness) == expected
    check(harness.runtime)
    assert open_incidents(harness) == expected
    harness.tps.v2.webhooks[webhook].enabled = True
    assert tps_webhooks.watch(watching) == 0
    assert open_incidents(harness) == []
    steps = [step for step in harness.steps() if step.startswith("incident")]
    assert steps == ["incident-opened", "incident-closed"]


def test_anothers_webhook_is_none_of_ours(watching: Runtime, harness: Harness) -> None:
    webhook = tps_webhooks.create(watching.settings, PARIS_FORM, URL)
    harness.tps.v2.webhooks[webhook].label = "somebody else"
    harness.tps.v2.webhooks[webhook].enabled = False
    assert tps_webhooks.watch(watching) == 0


def test_a_server_without_webhooks_is_asked_once(watching: Runtime, harness: Harness) -> None:
    harness.tps.v2.webhooks_available = False
    harness.tps.requests.clear()
    assert tps_webhooks.watch(watching) == 0
    assert len(harness.tps.requests) == 1
    assert tps_webhooks.watch(harness.runtime) == 0
    assert len(harness.tps.requests) == 1
