"""What follows from a page: where the cursor goes, and what has to be asked first. No I/O."""

from datetime import datetime, timedelta

from connectors.tps.port import Page
from connectors.tps.v2 import walk
from connectors.tps.v2.cursor import Cursor, encode
from connectors.tps.v2.page import PageAnswer
from connectors.tps.v2.walk import Walk

CHECK_AGAIN = timedelta(hours=1)
"""A field that no dossier of a page has is looked up anew, but not more often than this."""


def after_page(at: Cursor, walking: Walk, page: PageAnswer, now: datetime) -> Page:
    """The page for the store: its rows, and the cursor behind them.

    Args:
        at: the cursor with which it was asked for.
        walking: the walk that it belongs to.
        page: as it was answered.
        now: the present instant, by our own clock.
    """
    if _fields_are_stale(at, page, now):
        return Page(rows=(), cursor=encode(without_fields(at)), more=True)
    following = walk.with_deletions(at, page)
    deleted = _deleted(page)
    if page.holes:
        # Which dossiers they are is asked next; those that were given are known by then.
        numbers = walk.with_numbers_only(following, on=True)
        return Page(
            rows=page.rows,
            cursor=encode(numbers),
            more=True,
            malformed=page.malformed,
            deleted=deleted,
        )
    following, more = walking.advance(following, page, now)
    following = (
        walk.with_numbers_only(following, on=False) if at.numbers_only else walk.grown(following)
    )
    return Page(
        rows=page.rows,
        cursor=encode(following),
        more=more,
        malformed=page.malformed,
        deleted=deleted,
    )


def without_fields(at: Cursor) -> Cursor:
    """The cursor with the fields of the form to be looked up."""
    return at.model_copy(update={"fields": None})


def _fields_are_stale(at: Cursor, page: PageAnswer, now: datetime) -> bool:
    """Whether the form has changed, or seems to have: its revision, or a field in no row."""
    known = at.fields
    if known is None or page.revision is None:
        return False
    suspect = bool(page.empty) and not timedelta(0) <= now - known.checked_at < CHECK_AGAIN
    return page.revision != known.revision or suspect


def _deleted(page: PageAnswer) -> tuple[int, ...]:
    lists = (each.numbers for each in (page.deleted, page.pending) if each is not None)
    return tuple(dict.fromkeys(number for numbers in lists for number in numbers))
