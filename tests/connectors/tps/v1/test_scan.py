"""The walk through all pages, over lists that grow, shrink and say something wrong."""

from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.tps.v1 import scan
from connectors.tps.v1.cursor import Cursor, Scan
from connectors.tps.v1.listing import ListPage
from routing.listing import ListedDossier

ROW = ListedDossier(number=1, state=None, filed_at=None, changed_at=None)


def listed(page: int, *, pages: int, rows: int = 1) -> ListPage:
    return ListPage(rows=(ROW,) * rows, page=page, page_size=1, pages=pages, malformed=0)


def walk(answer: Callable[[int], ListPage | None], start: Cursor | None = None) -> list[int]:
    """The pages that a scan asks for; None is an answer of 404."""
    cursor, asked = start or Cursor(), list[int]()
    while True:
        asked.append(scan.under_way(cursor).page)
        page = answer(asked[-1])
        cursor = scan.after_missing(cursor) if page is None else scan.after_page(cursor, page)
        assert len(asked) < 200
        if cursor.scan is None:
            return asked


def pages_of(filled: int, said: int | None = None) -> Callable[[int], ListPage]:
    """A list with so many pages that have rows, which says that it has `said`."""
    return lambda page: listed(page, pages=said or filled, rows=int(page <= filled))


def test_the_first_scan_follows_the_list_to_its_end_and_comes_back() -> None:
    assert walk(pages_of(4)) == [1, 4, 3, 2, 1]


def test_the_next_scan_begins_at_the_last_page() -> None:
    assert walk(pages_of(4), Cursor(pages=4)) == [4, 3, 2, 1]


def test_a_scan_goes_on_where_it_stood() -> None:
    assert walk(pages_of(9), Cursor(pages=9, scan=Scan(page=3))) == [3, 2, 1]


def test_a_list_that_shrank_is_read_from_its_new_end() -> None:
    assert walk(pages_of(2), Cursor(pages=5)) == [5, 2, 1]


def test_an_empty_list_takes_one_page() -> None:
    assert walk(lambda page: listed(page, pages=0, rows=0)) == [1]


def test_a_list_that_grows_at_every_page_is_followed_three_times() -> None:
    asked = walk(lambda page: listed(page, pages=page + 1))
    assert asked == [1, 2, 3, 4, 3, 2, 1]


def test_a_page_that_is_no_more_is_taken_for_the_end() -> None:
    def answer(page: int) -> ListPage | None:
        return listed(page, pages=3) if page <= 3 else None

    asked = walk(answer, Cursor(pages=8))
    assert asked[0] == 8
    assert asked[-3:] == [3, 2, 1]


def test_a_count_of_pages_that_is_wrong_costs_a_few_requests() -> None:
    asked = walk(pages_of(3, said=10**6))
    assert asked[-3:] == [3, 2, 1]
    assert len(asked) < 30


def test_a_scan_remembers_how_many_pages_have_rows() -> None:
    cursor = Cursor(pages=2)
    for page in (2, 1):
        cursor = scan.after_page(cursor, listed(page, pages=2))
    assert cursor == Cursor(pages=2)


@settings(max_examples=50, deadline=None)
@given(
    filled=st.integers(1, 40),
    said=st.integers(0, 60),
    start=st.integers(1, 60),
    missing=st.booleans(),
)
def test_every_page_with_rows_is_asked_for(
    filled: int, said: int, start: int, missing: bool
) -> None:
    def answer(page: int) -> ListPage | None:
        if page > filled and missing:
            return None
        return listed(page, pages=max(said, filled), rows=int(page <= filled))

    asked: Sequence[int] = walk(answer, Cursor(pages=start))
    assert set(range(1, filled + 1)) <= set(asked)
