"""`wif channels`: list, test, enable."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.publish_rules import publish
from service.run_once import run_once
from simulator import Server
from tests.fixtures import shipped_rules
from tests.fixtures.harness import Harness, make_harness
from tests.fixtures.processes import Ran, wif
from tests.fixtures.webhook import Answer, Receiver, with_webhooks, write_secrets

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""What differs between the engines is tested below the command."""


@dataclass
class Desk:
    """A service with one webhook, and the command."""

    harness: Harness
    receiver: Receiver
    settings: dict[str, str]

    def wif(self, *arguments: str) -> Ran:
        return wif("channels", *arguments, **self.settings)


@pytest.fixture
def desk(database_url: str, tps: Server, tmp_path: Path) -> Iterator[Desk]:
    folder = write_secrets(tmp_path / "webhooks", "UD075")
    harness = make_harness(
        database_url, tps, tmp_path, webhook_secrets=folder, webhook_allow="127.0.0.1"
    )
    settings = {
        "WIF_DATABASE_URL": database_url,
        "WIF_VAR_DIR": str(tmp_path / "var"),
        "WIF_OUTBOX_DIR": str(harness.outbox),
        "WIF_WEBHOOK_SECRETS": str(folder),
        "WIF_WEBHOOK_ALLOW": "127.0.0.1",
    }
    with Receiver() as receiver:
        document = with_webhooks(shipped_rules.document(), UD075=receiver.url, UD093=receiver.url)
        with harness.runtime.database.begin() as connection:
            publish(harness.runtime, connection, document, note="tests")
        yield Desk(harness, receiver, settings)
    harness.runtime.close()


def test_a_trial_goes_through_every_channel_of_the_unit(desk: Desk) -> None:
    ran = desk.wif("test", "UD075")
    assert ran.returncode == 0
    assert "UD075 mail: accepted" in ran.stdout
    assert "UD075 webhook: accepted" in ran.stdout
    assert [each["type"] for each in desk.receiver.handled.values()] == ["trial"]
    assert len(desk.harness.mails()) == 1


def test_one_channel_alone_and_what_went_wrong(desk: Desk) -> None:
    desk.receiver.usual = Answer(status=404, handle=False)
    ran = desk.wif("test", "UD075", "--channel", "webhook")
    assert ran.returncode == 1
    assert "webhook-rejected (404): any other 4xx" in ran.stdout
    assert desk.harness.mails() == []
    (record,) = json.loads(desk.wif("test", "UD075", "--channel", "webhook", "--json").stdout)
    assert (record["accepted"], record["cause"], record["status"]) == (
        False,
        "webhook-rejected",
        404,
    )


@pytest.mark.parametrize("arguments", [("UD999",), ("UD013", "--channel", "webhook")])
def test_an_unknown_unit_or_channel_is_said(desk: Desk, arguments: tuple[str, ...]) -> None:
    for command in ("test", "enable"):
        ran = desk.wif(command, *arguments)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert arguments[0] in ran.stderr
    assert "did you mean `UD075`?" in desk.wif("test", "UD75").stderr


def test_the_list_says_what_keeps_a_channel_from_being_used(desk: Desk) -> None:
    rows = json.loads(desk.wif("list", "--json").stdout)
    webhooks = {each["unit"]: each["state"] for each in rows if each["channel"] == "webhook"}
    assert webhooks == {"UD075": "ready", "UD093": "webhook-unsigned"}
    assert all(each["state"] == "ready" for each in rows if each["channel"] == "mail")
    assert "webhook-unsigned: no secrets" in " ".join(desk.wif("list").stdout.split())


def test_no_output_shows_an_address(desk: Desk) -> None:
    for ran in (desk.wif("list"), desk.wif("test", "UD075"), desk.wif("enable", "UD075")):
        assert "127.0.0.1" not in ran.stdout + ran.stderr
        assert "@" not in ran.stdout + ran.stderr


def test_a_disabled_endpoint_is_shown_and_enabled(desk: Desk) -> None:
    desk.receiver.usual = Answer(status=410, handle=False)
    desk.harness.file(department="75")
    run_once(desk.harness.runtime)
    (row,) = [
        each
        for each in json.loads(desk.wif("list", "--unit", "UD075", "--json").stdout)
        if each["channel"] == "webhook"
    ]
    assert row["state"] == "webhook-gone"
    ran = desk.wif("enable", "UD075")
    assert ran.returncode == 0
    assert "wif deliveries replay --unit UD075 --reason webhook-gone" in ran.stdout
    assert "nothing is disabled" in desk.wif("enable", "UD075").stdout
    assert desk.harness.steps().count("channel-enabled") == 1


def test_doctor_names_the_channels_that_cannot_be_used(desk: Desk) -> None:
    checks = json.loads(wif("doctor", "--json", **desk.settings).stdout)
    (channels,) = [each for each in checks if each["check"] == "channels"]
    assert not channels["well"]
    assert "UD093 webhook (webhook-unsigned)" in channels["advice"]
