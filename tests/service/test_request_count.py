"""Requests are counted by whoever makes them, and added once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import read
from connectors.tps.request_count import REQUESTS
from routing.failures import Cause
from service import request_count
from service.request_count import add_requests
from service.runtime import Runtime
from simulator import Server
from store import tallies
from store.tallies import Metric
from tests.fixtures.harness import PARIS_FORM, Harness, make_harness


@pytest.fixture(autouse=True)
def _counts_anew() -> Iterator[None]:
    REQUESTS.take()
    request_count._Last.at = float("-inf")
    yield
    REQUESTS.take()


def requests(harness: Harness) -> dict[str, int]:
    with harness.runtime.database.read() as connection:
        cells = tallies.read(connection)
    return {cell.outcome: cell.amount for cell in cells if cell.metric == Metric.REQUESTS}


def test_each_request_is_counted_by_its_status(harness: Harness) -> None:
    harness.runtime.tps.can_read(PARIS_FORM)
    harness.runtime.tps.can_read(999_999)
    add_requests(harness.runtime)
    assert requests(harness) == {"200": 1, "404": 1}
    add_requests(harness.runtime, now=True)
    assert requests(harness) == {"200": 1, "404": 1}


def test_one_that_got_no_answer_is_counted_by_its_cause(
    database_url: str, tps: Server, tmp_path: Path
) -> None:
    harness = make_harness(database_url, tps, tmp_path, tps_url="http://127.0.0.1:1")
    harness.run()
    assert set(requests(harness)) == {Cause.TPS_UNREACHABLE.value}
    harness.runtime.close()


def test_a_count_is_added_now_and_then_and_at_the_end(harness: Harness) -> None:
    REQUESTS.add("200")
    add_requests(harness.runtime)
    REQUESTS.add("200")
    add_requests(harness.runtime)
    assert requests(harness) == {"200": 1}
    add_requests(harness.runtime, now=True)
    assert requests(harness) == {"200": 2}


def test_a_count_is_kept_while_the_database_is_away() -> None:
    away = Runtime(read(database_url="postgresql://nobody@127.0.0.1:1/none"))
    REQUESTS.add("200")
    add_requests(away)
    assert REQUESTS.take() == {"200": 1}
    away.close()
