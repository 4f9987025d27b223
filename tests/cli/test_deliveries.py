"""`wif deliveries`: a replay names units that there are."""

import json

import pytest

from tests.fixtures.harness import Harness
from tests.fixtures.processes import wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""What differs between the engines is tested below the command."""


def test_a_replay_of_a_unit_that_is_none_is_refused(
    harness: Harness, service: dict[str, str]
) -> None:
    harness.run()
    assert wif("deliveries", "replay", "--unit", "UD999", **service).returncode == 2
    assert wif("deliveries", "replay", "--unit", "UD075", **service).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("list", "--channel", "courriel"), "--channel courriel: is none of mail,"),
        (("replay", "--channel", "mial"), "did you mean `mail`?"),
        (("replay", "99999"), "99999: no such delivery"),
        (("list", "--state", "envoye"), "is none of pending"),
    ],
)
def test_what_there_is_not_is_refused(
    harness: Harness, service: dict[str, str], arguments: tuple[str, ...], says: str
) -> None:
    harness.run()
    refused = wif("deliveries", *arguments, **service)
    assert refused.returncode != 0
    assert says in refused.stderr


def test_one_that_was_sent_is_not_replayed_and_why_is_said(
    harness: Harness, service: dict[str, str]
) -> None:
    harness.file()
    harness.run()
    refused = wif("deliveries", "replay", "1", **service)
    assert (refused.returncode, refused.stderr) == (
        1,
        "1: is sent; only dead deliveries are replayed\n",
    )


def test_the_words_of_the_table_are_filters(harness: Harness, service: dict[str, str]) -> None:
    harness.file()
    harness.run()
    (shown,) = json.loads(wif("deliveries", "list", "--state", "sent", "--json", **service).stdout)
    words = wif("deliveries", "list", "--state", "Envoyé", "--json", WIF_LANG="fr", **service)
    assert json.loads(words.stdout) == [shown]
