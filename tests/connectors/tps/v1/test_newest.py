"""The walk through the newest pages: where it ends, and what it cannot tell."""

from datetime import UTC, datetime, timedelta

from connectors.tps.v1 import newest
from connectors.tps.v1.cursor import Cursor, Scan, decode
from connectors.tps.v1.listing import ListPage
from routing.listing import ListedDossier

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def listed(*minutes: int | None, page: int = 1, pages: int = 1) -> ListPage:
    """A page of dossiers, numbered from 1, filed so many minutes before noon."""
    rows = tuple(
        ListedDossier(
            number=number,
            state=None,
            filed_at=None if ago is None else NOON - timedelta(minutes=ago),
            changed_at=NOON,
        )
        for number, ago in enumerate(minutes, 1)
    )
    return ListPage(rows=rows, page=page, page_size=100, pages=pages, malformed=2)


def test_the_walk_goes_on_until_a_page_ends_with_a_known_dossier() -> None:
    page = newest.after_page(Cursor(), listed(1, 2, 3, pages=4))
    assert page.more
    assert page.ends_at_known == 3
    assert decode(page.cursor).newest == 2
    assert decode(page.cursor_at_known).newest == 1
    assert page.malformed == 2


def test_the_last_page_ends_it() -> None:
    page = newest.after_page(Cursor(newest=4), listed(1, 2, page=4, pages=4))
    assert (page.more, page.ends_at_known) == (False, None)
    assert decode(page.cursor).newest == 1


def test_a_page_without_rows_ends_it() -> None:
    assert not newest.after_page(Cursor(), listed(pages=0)).more


def test_a_list_without_an_order_cannot_tell_what_is_new() -> None:
    for minutes in ((3, 2, 1), (1, 1, 1), (1, None, 3), (None, None, None)):
        page = newest.after_page(Cursor(), listed(*minutes, pages=2))
        assert page.scan_needed
        assert page.rows == ()


def test_one_page_needs_no_order() -> None:
    page = newest.after_page(Cursor(), listed(3, 1, 2))
    assert not page.scan_needed
    assert len(page.rows) == 3


def test_a_scan_that_is_under_way_stays_where_it_is() -> None:
    at = Cursor(pages=9, scan=Scan(page=4))
    for page in (newest.after_page(at, listed(1, 2, pages=2)), newest.after_page(at, listed())):
        assert decode(page.cursor).scan == at.scan
