"""What a row of a list tells that was not known before."""

from datetime import UTC, datetime, timedelta

import pytest

from routing.facts import DossierState
from routing.listing import KnownDossier, ListedDossier, news

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
RECEIVED, CLOSED = DossierState.RECEIVED, DossierState.CLOSED


def row(
    *,
    state: DossierState | None = RECEIVED,
    filed_at: datetime | None = NOON,
    changed_at: datetime | None = NOON,
) -> ListedDossier:
    return ListedDossier(number=7, state=state, filed_at=filed_at, changed_at=changed_at)


@pytest.mark.parametrize(
    ("known", "listed", "changed"),
    [
        (KnownDossier(NOON, gone=False, state=RECEIVED), row(), False),
        (KnownDossier(NOON, gone=False, state=RECEIVED), row(changed_at=LATER), True),
        (KnownDossier(LATER, gone=False, state=RECEIVED), row(), True),
        (KnownDossier(NOON, gone=False, state=RECEIVED), row(changed_at=None), False),
        (KnownDossier(None, gone=False, state=None), row(changed_at=None), False),
        (KnownDossier(NOON, gone=False, state=RECEIVED), row(state=CLOSED), True),
        (KnownDossier(NOON, gone=False, state=None), row(state=CLOSED), False),
        (KnownDossier(NOON, gone=False, state=RECEIVED), row(state=None), False),
        (KnownDossier(NOON, gone=True, state=None), row(), True),
    ],
    ids=[
        "the same",
        "changed later",
        "changed earlier",
        "no date",
        "never a date",
        "another state",
        "being read",
        "no state",
        "back again",
    ],
)
def test_a_known_dossier_changed_when_its_row_tells_more(
    known: KnownDossier, listed: ListedDossier, changed: bool
) -> None:
    found = news([listed], {7: known}, None)
    assert found.new == ()
    assert found.changed == ((listed,) if changed else ())


@pytest.mark.parametrize(
    ("purged_before", "listed", "new"),
    [
        (None, row(state=CLOSED), True),
        (NOON, row(state=CLOSED), False),
        (NOON, row(state=CLOSED, filed_at=LATER), True),
        (NOON, row(state=CLOSED, filed_at=None), True),
        (NOON, row(state=None), False),
        (NOON, row(state=RECEIVED), True),
    ],
    ids=["nothing purged", "purged", "filed since", "no date", "no state", "undecided"],
)
def test_an_unknown_dossier_is_new_unless_it_may_have_been_purged(
    purged_before: datetime | None, listed: ListedDossier, new: bool
) -> None:
    found = news([listed], {}, purged_before)
    assert found.new == ((listed,) if new else ())
    assert found.changed == ()
