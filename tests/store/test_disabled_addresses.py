"""Addresses that want nothing more, known by their hash alone."""

from dataclasses import replace

from store import disabled_addresses
from store.disabled_addresses import Disabled, address_hash
from store.engine import Database
from tests.fixtures.harness import START

ADDRESS = "https://gestion.ud075.example/wif"
GONE = Disabled("webhook", "UD075", address_hash(ADDRESS), "webhook-gone", START)


def test_an_address_is_disabled_once_and_enabled_once(database_url: str) -> None:
    database = Database(database_url)
    with database.begin() as connection:
        assert disabled_addresses.disable(connection, GONE)
        assert not disabled_addresses.disable(connection, GONE)
    with database.begin() as connection:
        assert disabled_addresses.listing(connection) == [GONE]
        assert disabled_addresses.enable(connection, [GONE]) == [GONE]
        assert disabled_addresses.enable(connection, [GONE]) == []
        assert disabled_addresses.listing(connection) == []
    database.close()


def test_another_address_does_not_enable_the_one_that_is_disabled(database_url: str) -> None:
    database = Database(database_url)
    other = replace(GONE, address_hash=address_hash(ADDRESS + "/v2"))
    with database.begin() as connection:
        disabled_addresses.disable(connection, GONE)
        assert disabled_addresses.enable(connection, [other]) == []
        assert disabled_addresses.listing(connection) == [GONE]
    database.close()


def test_the_address_itself_is_nowhere(database_url: str) -> None:
    assert "ud075.example" not in repr(GONE)
