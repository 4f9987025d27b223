"""Addresses of a broker behind Sentinels."""

import kombu
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.broker_url import SentinelAddress, through_sentinel
from tests.fixtures.processes import wif

FULL = "sentinel://wif:p%40ss@a.example:1,b.example/wif?db=3&sentinel_password=other"
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1)


def test_every_part_is_read() -> None:
    address = SentinelAddress.parse(FULL)
    assert address.hosts == (("a.example", 1), ("b.example", 26379))
    assert (address.master, address.database) == ("wif", 3)
    assert (address.user, address.password) == ("wif", "p@ss")
    assert address.sentinel_password == "other"  # pragma: allowlist secret


def test_celery_reads_the_same() -> None:
    address = SentinelAddress.parse(FULL)
    with kombu.Connection(address.celery_url) as connection:
        assert [kombu.Connection(each).hostname for each in connection.alt] == [
            "a.example",
            "b.example",
        ]
        assert (connection.userid, connection.password) == ("wif", "p@ss")
        assert connection.virtual_host == "3"
    options = address.celery_options(seconds=2)
    assert options["master_name"] == "wif"
    assert options["sentinel_kwargs"]["password"] == "other"  # pragma: allowlist secret


@given(TEXT, TEXT)
def test_any_login_survives(user: str, password: str) -> None:
    address = SentinelAddress((("a.example", 1),), "wif", 0, user, password, None)
    again = SentinelAddress.parse(address.celery_url.removesuffix("/0") + "/wif")
    assert (again.user, again.password) == (user, password)


def test_a_server_by_itself_has_no_sentinel() -> None:
    assert through_sentinel("redis://127.0.0.1:6379/0") is None


@pytest.mark.parametrize(
    "url",
    [
        "sentinel://",
        "sentinel://a.example",
        "sentinel://a.example/",
        "sentinel:///wif",
        "sentinel://a.example,/wif",
        "sentinel://a.example:x/wif",
        "sentinel://a.example/wif/0",
        "sentinel://a.example/wif?db=x",
        "sentinel://a.example/wif?master=x",
        "sentinel://a:1/0;sentinel://b:1/0",
    ],
)
def test_what_is_no_such_address_is_refused_without_its_text(url: str) -> None:
    refused = wif("status", WIF_BROKER_URL=url)
    assert refused.returncode == 2
    assert "WIF_BROKER_URL" in refused.stderr
    assert "a.example" not in refused.stderr
