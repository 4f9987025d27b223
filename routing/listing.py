"""Pages of dossiers as TPS lists them, and what a page tells that was not known before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from routing.facts import DossierState, Facts
from routing.failures import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDossier:
    """What a page says of a dossier.

    Attributes:
        number: its number.
        state: its state, None where the server does not say.
        filed_at: instant of deposit in UTC, None when it cannot be read.
        changed_at: instant of the last change in UTC, None when it cannot be read.
        facts: its facts where the version brings them with the page; None: read them.
        failure: why the facts that should have come with the page could not be read; the
            dossier is quarantined for that cause. None otherwise.
        group: number of the *groupe d'instructeurs* that has it, None where the version does
            not say.
    """

    number: int
    state: DossierState | None
    filed_at: datetime | None
    changed_at: datetime | None
    facts: Facts | None = None
    failure: Failure | None = None
    group: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a walk through a procedure.

    Attributes:
        rows: the dossiers, each once, in the server's order.
        cursor: where both walks go on after this page; replaces the stored one in its commit.
        more: whether there is another page to ask for now.
        ends_at_known: the walk also ends here if the dossier of this number was known before
            this page was stored; None: only `more` counts.
        cursor_at_known: takes the place of `cursor` where the walk ends at `ends_at_known`;
            None: `cursor` stays.
        scan_needed: whether what is new cannot be told by this walk, so that everything must
            be walked through.
        malformed: rows without a readable number, which are left out of `rows`.
        deleted: numbers that the server lists as deleted. A hint to ask for each, no proof.
    """

    rows: tuple[ListedDossier, ...]
    cursor: str | None
    more: bool
    ends_at_known: int | None = None
    cursor_at_known: str | None = None
    scan_needed: bool = False
    malformed: int = 0
    deleted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownDossier:
    """What is stored of a listed dossier.

    Attributes:
        changed_at: the last change that a list told of, None where none did.
        gone: whether TPS no longer had it.
        state: the state last read, None while it is not settled.
        group: the group that it was in when a list first told, or into which this service moved
            it since; None while no list has told.
    """

    changed_at: datetime | None
    gone: bool
    state: DossierState | None
    group: int | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What a page tells: dossiers never seen before, and known ones that changed in TPS."""

    new: tuple[ListedDossier, ...]
    changed: tuple[ListedDossier, ...]


def news(
    rows: Sequence[ListedDossier],
    known: Mapping[int, KnownDossier],
    purged_before: datetime | None,
) -> News:
    """Which rows of a page are to be read.

    Args:
        rows: of the page, each dossier once.
        known: what is stored of those that are known, by number.
        purged_before: latest deposit of a purged dossier of the procedure, None without any.
    """
    return News(
        new=tuple(
            row
            for row in rows
            if row.number not in known and not _may_have_been_purged(row, purged_before)
        ),
        changed=tuple(row for row in rows if _has_news(row, known.get(row.number))),
    )


def _has_news(row: ListedDossier, known: KnownDossier | None) -> bool:
    """Whether a row tells more than is stored.

    The states are compared as well: a state can go back without a new date of change.
    """
    if known is None:
        return False
    moved = None not in {row.state, known.state} and row.state != known.state
    changed = row.changed_at is not None and row.changed_at != known.changed_at
    return known.gone or moved or changed


def _may_have_been_purged(row: ListedDossier, purged_before: datetime | None) -> bool:
    """Whether an unknown dossier may have been known once, and then purged.

    One that an office has not decided is new again, even if it was purged: it was reopened.
    """
    if purged_before is None or row.filed_at is None or row.filed_at > purged_before:
        return False
    return row.state is None or row.state.ended
