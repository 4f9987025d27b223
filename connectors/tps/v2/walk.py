"""The two walks through a procedure: where each begins, goes on and ends. No I/O.

A walk through what changed holds `updatedSince` constant and goes on after the last dossier
seen. When it is through, a trailing window is walked through again, because TPS dates a change
before the change is committed: what appears late bears an earlier instant. The window ends ten
minutes after its newest change was seen, twenty times the thirty seconds after which TPS stops
a request; what comes later still is found by the next walk through everything. After it, a tick
goes on behind the last dossier, and is answered an empty page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors.tps.v2.cursor import Changes, Cursor, Deletions, Scan
from connectors.tps.v2.page import LARGEST_PAGE, PageAnswer

WINDOW = timedelta(minutes=10)
"""How long after a change others with earlier dates may still appear, and how far back."""

MARGIN = timedelta(days=1)
"""Changes are walked through from so long before the first scan on: clocks differ."""

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
"""Before anything that TPS has."""

SHRINK = 4
GROWTH = 10
"""A page that cannot be given is asked for again a quarter of its size. Pages then grow by a
tenth, so that one in fifteen at most is too large again."""


@dataclass(frozen=True, slots=True)
class Position:
    """What of the list of dossiers is asked for next: `updatedSince` and `after`."""

    since: datetime | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Walk:
    """One of the two walks.

    Attributes:
        begin: the cursor with this walk begun, unless it is under way.
        position: where it stands.
        advance: the cursor behind a page, and whether there is more to ask for now.
    """

    begin: Callable[[Cursor, datetime], Cursor]
    position: Callable[[Cursor], Position]
    advance: Callable[[Cursor, PageAnswer, datetime], tuple[Cursor, bool]]


def _begin_changes(at: Cursor, now: datetime) -> Cursor:
    changes = at.changes or Changes(since=ALWAYS)
    return _with(at, changes=changes, deletions=at.deletions or Deletions(since=now - MARGIN))


def _begin_scan(at: Cursor, now: datetime) -> Cursor:
    """Changes made while the first scan goes on are walked through after it."""
    since = now - MARGIN
    return _with(
        at,
        scan=at.scan or Scan(),
        changes=at.changes or Changes(since=since),
        deletions=at.deletions or Deletions(since=since),
    )


def _changes_position(at: Cursor) -> Position:
    changes = at.changes or Changes(since=ALWAYS)
    return Position(changes.since, changes.after)


def _scan_position(at: Cursor) -> Position:
    return Position(None, at.scan.after if at.scan else None)


def _advance_changes(at: Cursor, page: PageAnswer, now: datetime) -> tuple[Cursor, bool]:
    before = at.changes or Changes(since=ALWAYS)
    changes = _seen(before, page, now)
    more = page.end.more or _more_deletions(page)
    return _with(at, changes=changes if more else _through(changes, now)), more


def _advance_scan(at: Cursor, page: PageAnswer, _: datetime) -> tuple[Cursor, bool]:
    after = page.end.cursor or (at.scan.after if at.scan else None)
    more = page.end.more or _more_deletions(page)
    return _with(at, scan=Scan(after=after) if more else None), more


CHANGES = Walk(_begin_changes, _changes_position, _advance_changes)
EVERYTHING = Walk(_begin_scan, _scan_position, _advance_scan)


def with_deletions(at: Cursor, page: PageAnswer) -> Cursor:
    """The cursor behind the deletions of a page."""
    if at.deletions is None or page.deleted is None or page.pending is None:
        return at
    known = at.deletions
    moved = Deletions(
        since=known.since,
        after=page.deleted.end.cursor or known.after,
        pending_after=page.pending.end.cursor or known.pending_after,
    )
    return _with(at, deletions=moved)


def started_over(at: Cursor) -> Cursor | None:
    """The cursor without those of the server, which it refuses; None when it has none."""
    changes = at.changes and Changes(since=at.changes.since)
    scan = at.scan and Scan()
    deletions = at.deletions and Deletions(since=at.deletions.since)
    again = _with(at, changes=changes, scan=scan, deletions=deletions)
    afters = (
        at.changes and at.changes.after,
        at.scan and at.scan.after,
        at.deletions and (at.deletions.after or at.deletions.pending_after),
    )
    return again if any(afters) else None


def shrunk(at: Cursor) -> Cursor | None:
    """The cursor for a smaller page, then for numbers alone; None when nothing is smaller."""
    if at.numbers_only:
        return None
    if at.size > 1:
        return _with(at, size=max(at.size // SHRINK, 1))
    return _with(at, numbers_only=True)


def sized(at: Cursor, size: int) -> Cursor:
    """The cursor for a page of that size."""
    return _with(at, size=size)


def grown(at: Cursor) -> Cursor:
    """The cursor for the page after one that was given."""
    return _with(at, size=min(at.size + max(at.size // GROWTH, 1), LARGEST_PAGE))


def with_numbers_only(at: Cursor, *, on: bool) -> Cursor:
    """The cursor with the next page asked for by numbers alone, or as usual."""
    return _with(at, numbers_only=on)


def _seen(changes: Changes, page: PageAnswer, now: datetime) -> Changes:
    dates = [row.changed_at for row in page.rows if row.changed_at is not None]
    latest = max(dates, default=None)
    newer = latest is not None and (changes.newest is None or latest > changes.newest)
    return Changes(
        since=changes.since,
        after=page.end.cursor or changes.after,
        newest=latest if newer else changes.newest,
        newest_seen_at=now if newer else changes.newest_seen_at,
    )


def _through(changes: Changes, now: datetime) -> Changes:
    """A walk that is through: the window is walked through again while it is open."""
    newest, seen_at = changes.newest, changes.newest_seen_at
    if newest is None or seen_at is None or now - seen_at >= WINDOW:
        return changes
    return Changes(since=newest - WINDOW, newest=newest, newest_seen_at=seen_at)


def _more_deletions(page: PageAnswer) -> bool:
    return any(each is not None and each.end.more for each in (page.deleted, page.pending))


def _with(at: Cursor, **changes: object) -> Cursor:
    return at.model_copy(update=changes)
