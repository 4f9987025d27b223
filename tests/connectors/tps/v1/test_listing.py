"""A page of a list, in both eras and with what real lists have wrong."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.tps.errors import MalformedReason
from connectors.tps.json_checks import MalformedJson
from connectors.tps.v1.listing import ListPage, page_of
from routing.facts import DossierState
from routing.listing import ListedDossier

ROW = {
    "id": 7,
    "updated_at": "2020-01-02T03:04:05.678Z",
    "initiated_at": "2020-01-02T04:04:05+01:00",
}


def listing(*rows: object, page: object = 1, size: object = 100, pages: object = 1) -> Any:  # noqa: ANN401
    pagination = {"page": page, "resultats_par_page": size, "nombre_de_page": pages}
    return {"dossiers": list(rows), "pagination": pagination}


def test_a_row_of_each_era() -> None:
    read = page_of(listing(ROW, ROW | {"id": 8, "state": "received"}), asked=1)
    filed = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    changed = datetime(2020, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    received = DossierState.RECEIVED
    assert read == ListPage(
        rows=(
            ListedDossier(number=7, state=None, filed_at=filed, changed_at=changed),
            ListedDossier(number=8, state=received, filed_at=filed, changed_at=changed),
        ),
        page=1,
        page_size=100,
        pages=1,
        malformed=0,
    )


def test_one_bad_row_does_not_lose_the_others() -> None:
    bad: list[object] = [{}, None, "7", {"id": None}, {"id": "x7"}, {"id": True}, {"id": -1}]
    huge = ROW | {"id": 2**63}
    read = page_of(listing(*bad, ROW, huge), asked=1)
    assert [row.number for row in read.rows] == [7]
    assert read.malformed == len(bad) + 1


def test_a_number_that_is_written_as_text_loses_no_dossier() -> None:
    read = page_of(listing(ROW | {"id": "8"}), asked=1)
    assert ([row.number for row in read.rows], read.malformed) == ([8], 0)


def test_a_row_without_readable_dates_or_state_is_still_listed() -> None:
    row = {"id": 9, "updated_at": "2018-09-013", "initiated_at": None, "state": "perdu"}
    assert page_of(listing(row), asked=1).rows == (
        ListedDossier(number=9, state=None, filed_at=None, changed_at=None),
    )


def test_a_row_that_stands_there_twice_is_one() -> None:
    read = page_of(listing(ROW, ROW | {"id": 8}, ROW | {"state": "closed"}), asked=1)
    assert [(row.number, row.state) for row in read.rows] == [(7, DossierState.CLOSED), (8, None)]


def test_an_empty_list_has_no_page() -> None:
    assert page_of(listing(pages=0), asked=1).pages == 0


def test_a_page_beyond_the_last_may_be_answered_with_another() -> None:
    assert page_of(listing(page=3, pages=3), asked=4).page == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], MalformedReason.ROOT),
        ({}, MalformedReason.PAGINATION),
        ({"dossiers": []}, MalformedReason.PAGINATION),
        (listing(page=2, pages=5), MalformedReason.PAGINATION),
        (listing(page="1"), MalformedReason.PAGINATION),
        (listing(pages=False), MalformedReason.PAGINATION),
        (listing(pages=-1), MalformedReason.PAGINATION),
        (listing(size=None), MalformedReason.PAGINATION),
        ({**listing(), "dossiers": None}, MalformedReason.DOSSIERS),
    ],
)
def test_a_broken_promise_is_named(content: object, reason: MalformedReason) -> None:
    with pytest.raises(MalformedJson) as caught:
        page_of(content, asked=1)
    assert caught.value.reason is reason


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
rows = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("id", "updated_at", "initiated_at", "state"), anything)
)


@given(content=anything | st.builds(listing, anything | rows, rows, page=anything, pages=anything))
def test_whatever_stands_there_is_a_page_or_a_broken_promise(content: object) -> None:
    try:
        page_of(content, asked=1)
    except MalformedJson:
        return
