"""The walk through what was just filed: newest page first, until a dossier is known."""

from collections.abc import Sequence

from connectors.tps.v1.cursor import Cursor, encode
from connectors.tps.v1.listing import ListPage
from routing.listing import ListedDossier, Page

PAGE_SIZE = 100
"""Rows of the page that is asked for at every tick."""


def after_page(cursor: Cursor, listed: ListPage) -> Page:
    """What a page of the newest dossiers brings, and whether the walk goes on.

    A list that is not sorted by deposit beyond doubt cannot tell what is new.

    Args:
        cursor: where the walk stood before.
        listed: the page that it asked for.
    """
    if listed.pages > 1 and not _descending(listed.rows):
        return Page(rows=(), cursor=over(cursor), more=False, scan_needed=True)
    more = bool(listed.rows) and cursor.newest < listed.pages
    following = cursor.model_copy(update={"newest": cursor.newest + 1})
    return Page(
        rows=listed.rows,
        cursor=encode(following) if more else over(cursor),
        more=more,
        ends_at_known=listed.rows[-1].number if more else None,
        cursor_at_known=over(cursor),
        malformed=listed.malformed,
    )


def over(cursor: Cursor) -> str:
    """The cursor behind the walk: the next one begins with the newest page again."""
    return encode(cursor.model_copy(update={"newest": 1}))


def _descending(rows: Sequence[ListedDossier]) -> bool:
    """Whether the rows are sorted by deposit, newest first, beyond doubt."""
    deposits = [row.filed_at for row in rows if row.filed_at is not None]
    if not deposits or len(deposits) < len(rows):
        return False
    return deposits == sorted(deposits, reverse=True) and deposits[0] > deposits[-1]
