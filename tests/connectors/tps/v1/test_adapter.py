"""The port by v1, over a simulated server."""

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from connectors.tps.port import Page, TpsPort
from connectors.tps.v1.adapter import TpsV1
from connectors.tps.v1.client import V1Client
from connectors.tps.v1.cursor import Cursor, decode, encode
from routing.failures import Cause, Failure
from simulator import Simulator
from tests.connectors.tps.samples import PERMIT_TYPES, PROCEDURE, TOKEN, student_form

FORM = student_form()
LIST = f"/api/v1/procedures/{PROCEDURE}/dossiers"


@pytest.fixture
def simulator() -> Simulator:
    simulator = Simulator(token=TOKEN)
    simulator.open(FORM)
    return simulator


@pytest.fixture
def tps(simulator: Simulator) -> Iterator[TpsPort]:
    with simulator.serve() as server:
        port = TpsV1(V1Client(base_url=server.url, token=lambda: TOKEN), page_size=10)
        yield port
        port.close()


def everything(tps: TpsPort, cursor: str | None = None) -> list[Page]:
    pages = [tps.everything(FORM, PERMIT_TYPES, cursor)]
    while pages[-1].more:
        pages.append(tps.everything(FORM, PERMIT_TYPES, pages[-1].cursor))
    return pages


def numbers(*pages: Page) -> set[int]:
    return {row.number for page in pages for row in page.rows}


def test_everything_is_walked_through_page_by_page(tps: TpsPort, simulator: Simulator) -> None:
    filed = simulator.populate([FORM], 45)
    pages = everything(tps)
    assert numbers(*pages) == set(filed)
    assert len(everything(tps, pages[-1].cursor)) == 5, "the next walk begins at the end"


def test_what_is_new_stands_on_the_first_page(tps: TpsPort, simulator: Simulator) -> None:
    filed = simulator.populate([FORM], 150)
    page = tps.changes(FORM, PERMIT_TYPES, None)
    assert numbers(page) == set(sorted(filed)[-100:])
    assert numbers(page, tps.changes(FORM, PERMIT_TYPES, page.cursor)) == set(filed)


def test_facts_of_one_dossier_take_no_cursor(tps: TpsPort, simulator: Simulator) -> None:
    (number,) = simulator.populate([FORM], 1)
    assert tps.facts(FORM, PERMIT_TYPES, number, None).number == number


def test_a_procedure_that_is_not_ours_cannot_be_read(tps: TpsPort) -> None:
    assert tps.can_read(PROCEDURE)
    assert not tps.can_read(PROCEDURE + 1)


def test_a_page_that_the_list_no_longer_has_ends_no_walk_in_failure(
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request(LIST).respond_with_json({}, status=404)
    tps = TpsV1(V1Client(base_url=httpserver.url_for(""), token=lambda: TOKEN))
    newest = tps.changes(FORM, PERMIT_TYPES, encode(Cursor(newest=3)))
    assert (newest.more, decode(newest.cursor)) == (False, Cursor())
    page = tps.everything(FORM, PERMIT_TYPES, encode(Cursor(pages=8)))
    assert page.more
    with pytest.raises(Failure) as caught:
        everything(tps, page.cursor)
    assert caught.value.cause is Cause.TPS_NOT_FOUND, "the first page is the list itself"
    tps.close()
