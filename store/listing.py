"""Storing pages of lists: new dossiers become due, changed ones due again, absences count."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    case,
    func,
    select,
    update,
)

from routing.facts import DossierState
from routing.listing import KnownDossier, ListedDossier, Page, news
from routing.quarantine import ABSENCES_BEFORE_ASKING
from store import groups
from store.audit.log import AuditEntry, AuditLog, Step
from store.base import table_of
from store.bulk import insert_rows
from store.dossiers import BACKLOG, DossierStatus, Lane
from store.models import Dossier
from store.number_filter import number_in
from store.polls import PollClaim, advance
from store.procedures import purged_before

_TABLE = table_of(Dossier)
_THIS = _TABLE.c


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """What storing a page brought.

    Attributes:
        new: numbers never seen before.
        changed: numbers of known dossiers that changed in TPS.
        deleted: numbers of known dossiers to be asked for, because TPS lists them as deleted.
    """

    new: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    deleted: tuple[int, ...] = ()

    @property
    def due(self) -> int:
        """How many dossiers the page made due."""
        return len(self.new) + len(self.changed) + len(self.deleted)


def store_page(
    connection: Connection,
    audit: AuditLog,
    claim: PollClaim,
    page: Page,
    *,
    lane: Lane,
    now: datetime,
    lease_until: datetime,
    scan_started_at: datetime | None = None,
) -> StoredPage:
    """Store what follows from a page, and the cursor behind it: one commit.

    Args:
        connection: the transaction.
        audit: gets an entry for each dossier that is new or changed.
        claim: of the poll.
        page: as the server gave it.
        lane: the lane of new dossiers.
        now: the present instant.
        lease_until: the claim is held as long as that.
        scan_started_at: start of the full scan that the page belongs to, None when it does not.

    Raises:
        LeaseLost: another worker polls the procedure; roll back.
    """
    advance(
        connection,
        claim,
        cursor=page.cursor,
        lease_until=lease_until,
        scan_started_at=scan_started_at,
    )
    procedure = claim.procedure
    stored = note_listed(
        connection, procedure, page.rows, now=now, lane=lane, scan_started_at=scan_started_at
    )
    deleted = ask_for(connection, procedure, page.deleted, now)
    audit.append(connection, now, _entries(procedure, stored))
    return StoredPage(new=stored.new, changed=stored.changed, deleted=deleted)


def note_listed(
    connection: Connection,
    procedure: int,
    rows: Sequence[ListedDossier],
    *,
    now: datetime,
    lane: Lane,
    scan_started_at: datetime | None = None,
) -> StoredPage:
    """Store the rows of a page: new dossiers become due, changed ones due again.

    Args:
        connection: the transaction that also moves the cursor.
        procedure: id of the procedure listed.
        rows: of the page, each dossier once.
        now: the present instant.
        lane: the lane of new dossiers.
        scan_started_at: start of the full scan that the page belongs to, None when it does not.
    """
    if not rows:
        return StoredPage()
    stored = known(connection, procedure, [row.number for row in rows])
    unknown = any(row.number not in stored for row in rows)
    found = news(rows, stored, purged_before(connection, procedure) if unknown else None)
    insert_rows(connection, Dossier, [_new_row(procedure, row, now, lane) for row in found.new])
    _make_due_again(connection, procedure, found.changed, now)
    first_seen = [(row.number, row.group) for row in rows if _first_told(row, stored)]
    groups.keep(connection, procedure, first_seen)
    if scan_started_at is not None and stored:
        _touch(connection, procedure, stored, scan_started_at)
    return StoredPage(
        new=tuple(row.number for row in found.new),
        changed=tuple(row.number for row in found.changed),
    )


def _first_told(row: ListedDossier, stored: Mapping[int, KnownDossier]) -> bool:
    """Whether a list tells for the first time which group has a known dossier."""
    known_before = stored.get(row.number)
    return row.group is not None and known_before is not None and known_before.group is None


_SETTLED_ROW = and_(_THIS.status == DossierStatus.ROUTED.value, _THIS.next_attempt_at.is_(None))
_KNOWING = select(
    _THIS.number,
    _THIS.listed_change_at,
    _THIS.status == DossierStatus.GONE.value,
    case((_SETTLED_ROW, _THIS.state), else_=None),
    _THIS.tps_group,
).where(_THIS.procedure == bindparam("of"), number_in(_THIS.number, "numbers"))


def known(
    connection: Connection, procedure: int, numbers: Collection[int]
) -> Mapping[int, KnownDossier]:
    """What is stored of those of `numbers` that are known."""
    rows = connection.execute(_KNOWING, {"of": procedure, "numbers": numbers})
    return {
        number: KnownDossier(
            changed_at, gone, None if state is None else DossierState(state), group
        )
        for number, changed_at, gone, state, group in rows
    }


def _new_row(procedure: int, row: ListedDossier, now: datetime, lane: Lane) -> dict[str, Any]:
    return {
        "procedure": procedure,
        "number": row.number,
        "status": DossierStatus.PENDING.value,
        "lane": int(lane),
        "next_attempt_at": now,
        "seen_at": now,
        "filed_at": row.filed_at,
        "listed_change_at": row.changed_at,
        "last_listed_at": now,
        "tps_group": row.group,
    }


def _make_due_again(
    connection: Connection, procedure: int, rows: Sequence[ListedDossier], now: datetime
) -> None:
    """A claimed row keeps its clock: its worker sees the change when settling it."""
    if not rows:
        return
    unclaimed = Dossier.lease_token.is_(None)
    connection.execute(
        update(Dossier)
        .where(Dossier.procedure == bindparam("p"), Dossier.number == bindparam("n"))
        .values(
            listed_change_at=func.coalesce(
                bindparam("changed", type_=Dossier.listed_change_at.type), Dossier.listed_change_at
            ),
            next_attempt_at=case((unclaimed, now), else_=Dossier.next_attempt_at),
            lane=int(BACKLOG),
            status=case(
                (Dossier.status == DossierStatus.GONE.value, DossierStatus.PENDING.value),
                else_=Dossier.status,
            ),
        ),
        [{"p": procedure, "n": row.number, "changed": row.changed_at} for row in rows],
    )


_TOUCHING = (
    update(_TABLE)
    .where(_THIS.procedure == bindparam("of"), number_in(_THIS.number, "numbers"))
    .values(last_listed_at=bindparam("at"), absences=0)
)


def _touch(
    connection: Connection, procedure: int, numbers: Collection[int], scan_started_at: datetime
) -> None:
    given = {"of": procedure, "numbers": numbers, "at": scan_started_at}
    connection.execute(_TOUCHING, given)


def ask_for(
    connection: Connection, procedure: int, numbers: Collection[int], now: datetime
) -> tuple[int, ...]:
    """Make dossiers that TPS lists as deleted due to be asked for, as repeated absence does.

    Returns those that this concerns: known, not gone, and not asked for already.
    """
    if not numbers:
        return ()
    asked = connection.execute(
        update(Dossier)
        .where(
            Dossier.procedure == procedure,
            Dossier.number.in_(numbers),
            Dossier.status != DossierStatus.GONE.value,
            Dossier.absences < ABSENCES_BEFORE_ASKING,
        )
        .values(
            absences=ABSENCES_BEFORE_ASKING,
            next_attempt_at=func.coalesce(Dossier.next_attempt_at, now),
        )
        .returning(Dossier.number)
    )
    return tuple(sorted(asked.scalars()))


def count_absences(
    connection: Connection, procedure: int, *, scan_started_at: datetime, now: datetime
) -> int:
    """After a complete scan: count one absence for each dossier that it did not list.

    A dossier absent often enough becomes due, so that TPS is asked for it by number.
    Returns how many were absent.
    """
    often = Dossier.absences + 1 >= ABSENCES_BEFORE_ASKING
    absent = connection.execute(
        update(Dossier)
        .where(
            Dossier.procedure == procedure,
            Dossier.last_listed_at < scan_started_at,
            Dossier.status != DossierStatus.GONE.value,
        )
        .values(
            absences=Dossier.absences + 1,
            next_attempt_at=case(
                (and_(often, Dossier.next_attempt_at.is_(None)), now),
                else_=Dossier.next_attempt_at,
            ),
        )
    )
    return absent.rowcount


def _entries(procedure: int, stored: StoredPage) -> list[AuditEntry]:
    steps = ((Step.SEEN, stored.new), (Step.CHANGED, stored.changed))
    return [
        AuditEntry(step=step, procedure=procedure, number=number)
        for step, numbers in steps
        for number in numbers
    ]
