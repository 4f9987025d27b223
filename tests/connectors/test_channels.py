"""The registry of channels: what everybody else knows of them."""

from datetime import datetime
from pathlib import Path

import pytest

from config.settings import read
from connectors.channels import CHANNELS, DEFAULT_CHANNEL
from routing.failures import TABLE, Action, Cause


def test_mail_comes_first() -> None:
    assert next(iter(CHANNELS)) == "mail"
    assert DEFAULT_CHANNEL == "mail"


@pytest.mark.parametrize("kind", CHANNELS)
def test_each_is_known_by_its_own_name_which_fits_its_column(kind: str) -> None:
    assert CHANNELS[kind].kind == kind
    assert len(kind) <= 16


def _never() -> datetime:
    raise AssertionError("nothing is sent")


@pytest.mark.parametrize("kind", CHANNELS)
def test_the_settings_have_what_each_reads(kind: str, tmp_path: Path) -> None:
    settings = read(var_dir=tmp_path, outbox_dir=tmp_path / "outbox")
    with CHANNELS[kind].open(settings, _never, {}) as session:
        assert callable(session.send)


@pytest.mark.parametrize("kind", CHANNELS)
def test_what_is_cut_off_or_an_outage_is_tried_again_and_what_disables_is_final(kind: str) -> None:
    channel = CHANNELS[kind]
    assert TABLE[channel.timeout].action is Action.RETRY
    assert {TABLE[cause].action for cause in channel.outages} <= {Action.RETRY}
    assert {TABLE[cause].action for cause in channel.disabling} <= {Action.PERMANENT}
    assert all(
        cause.value.startswith(kind.partition("_")[0])
        for cause in channel.outages | channel.disabling
    )
    assert Cause(channel.timeout) in TABLE
