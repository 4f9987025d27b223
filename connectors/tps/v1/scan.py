"""The walk through all pages of a list, from the last page to the first.

Lists are sorted by deposit, so rows that are deleted or added while it walks can make it
read a row twice but not miss one.
"""

from connectors.tps.v1.cursor import Cursor, Scan, Search
from connectors.tps.v1.listing import ListPage

MOST_JUMPS = 3
"""How often a scan follows a list that grew while it was read; what comes later is new at the next
tick, and a list that grows with every page is read all the same."""


def under_way(cursor: Cursor) -> Scan:
    """The scan that stands in `cursor`, or a new one."""
    return cursor.scan or Scan(page=cursor.pages)


def after_page(cursor: Cursor, listed: ListPage) -> Cursor:
    """Where the scan stands after a page; its `scan` is None when that was the last one.

    Args:
        cursor: where it stood before.
        listed: the page that it asked for.
    """
    scan = under_way(cursor)
    if scan.search is not None:
        return _at(cursor, _narrowed(scan, scan.search, has_rows=bool(listed.rows)))
    if not listed.rows and 1 < scan.page <= listed.pages:
        return after_missing(cursor)
    if scan.page == cursor.pages < listed.pages and scan.jumps < MOST_JUMPS:
        jumped = scan.model_copy(update={"page": listed.pages, "jumps": scan.jumps + 1})
        return cursor.model_copy(update={"pages": listed.pages, "scan": jumped})
    following = min(scan.page - 1, listed.pages)
    if following >= 1:
        return _at(cursor, scan.model_copy(update={"page": following}))
    pages = min(listed.pages, scan.end or listed.pages)
    return cursor.model_copy(update={"pages": max(pages, 1), "scan": None})


def after_missing(cursor: Cursor) -> Cursor:
    """Where the scan stands after a page that is empty, or that the list no longer has.

    Behind such a page there are none with rows; the last one before it is searched, so that
    a list that says that it has many more pages than it has costs a few requests.
    """
    scan = under_way(cursor)
    if scan.search is not None:
        return _at(cursor, _narrowed(scan, scan.search, has_rows=False))
    return _at(cursor, _searching(scan, Search(empty=scan.page)))


def _narrowed(scan: Scan, search: Search, *, has_rows: bool) -> Scan:
    bound = "filled" if has_rows else "empty"
    narrowed = search.model_copy(update={bound: scan.page})
    if narrowed.empty - narrowed.filled > 1:
        return _searching(scan, narrowed)
    last = max(narrowed.filled, 1)
    return scan.model_copy(update={"page": last, "end": last, "search": None})


def _searching(scan: Scan, search: Search) -> Scan:
    middle = (search.empty + search.filled) // 2
    return scan.model_copy(update={"page": middle, "search": search})


def _at(cursor: Cursor, scan: Scan) -> Cursor:
    return cursor.model_copy(update={"scan": scan})
