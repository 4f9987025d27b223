"""What every version of the TPS API gives: pages of dossiers, the facts of one, and no more.

Paging, sorting and cursors are the version's own affair. A cursor is text that only the
version that wrote it can read; the store keeps it in the commit that stores its page, so that
a cursor never passes what was not stored. A version starts over when it is given a cursor that
it cannot read (None, another version's, one that the server refuses): rows come again, and the
store knows them.

What versions share lies beside this module: `transport` (GET and POST of JSON with a deadline
and a bound on size), `exchange` (an answer is reduced on the spot, failures leave nothing of it
behind), `json_checks`, `timestamps`, `http_status`, `errors`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from routing.facts import DossierState, Facts
from routing.failures import Failure
from routing.forms import Form, PermitType


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
    """

    number: int
    state: DossierState | None
    filed_at: datetime | None
    changed_at: datetime | None
    facts: Facts | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a walk through a procedure.

    Attributes:
        rows: the dossiers, each once, in the server's order.
        cursor: where both walks go on after this page; replaces the stored one in its commit.
        more: whether there is another page to ask for now.
        ends_at_known: the walk also ends here if the dossier of this number was known before
            this page was stored; None: only `more` counts.
        scan_needed: whether what is new cannot be told by this walk, so that everything must
            be walked through.
        malformed: rows without a readable number, which are left out of `rows`.
        deleted: numbers that the server lists as deleted. A hint to ask for each, no proof.
    """

    rows: tuple[ListedDossier, ...]
    cursor: str | None
    more: bool
    ends_at_known: int | None = None
    scan_needed: bool = False
    malformed: int = 0
    deleted: tuple[int, ...] = ()


class TpsPort(Protocol):
    """One TPS server in one version of its API.

    Every method raises `routing.failures.Failure`, whose cause says what to do. Threads may
    share it; processes may not: build it after a fork.
    """

    def changes(self, form: Form, permit_types: Sequence[PermitType], cursor: str | None) -> Page:
        """The next page of what is new or changed since `cursor`."""

    def everything(
        self, form: Form, permit_types: Sequence[PermitType], cursor: str | None
    ) -> Page:
        """The next page of a walk through all dossiers, which `cursor` may stand in the middle of.

        The page that ends the walk has no `more`; its cursor begins the next walk.
        """

    def facts(
        self, form: Form, permit_types: Sequence[PermitType], number: int, cursor: str | None
    ) -> Facts:
        """The facts of one dossier; nothing else of it leaves the connector.

        Args:
            form: the form that it was filed with.
            permit_types: in the order in which they are tried.
            number: its number.
            cursor: the stored one of its procedure, which may hold what helps to read it.
        """

    def can_read(self, procedure: int) -> bool:
        """Whether the server knows the procedure and the token may read it."""

    def close(self) -> None:
        """Close the kept connections."""
