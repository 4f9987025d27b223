"""Safeguards, each with a way to do without it: the control of a scenario.

A scenario that passes proves little unless it fails where the safeguard that it is about
is missing. Each function here takes one away, in the way in which it has been missing
in services of this kind, from this process or from a worker that the harness starts.
"""

import re
import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Select, select, text, true, update

import service.read
import service.sending
import service.settle
from connectors.mail import message
from connectors.mail.message import compose
from connectors.tps.v1 import scan
from connectors.tps.v1.client import V1Client
from connectors.tps.v1.cursor import Cursor, Scan, decode, encode
from connectors.tps.v1.listing import ListPage
from routing import retries
from routing.calendar import PARIS
from routing.failures import TABLE, Action, Cause, Failure
from routing.forms import Form, PermitType
from routing.listing import Page
from service import sweep as sweeping
from service.claim import Claim
from service.runtime import Runtime
from store import (
    clock_repair,
    deliveries,
    delivery_outcomes,
    dossier_outcomes,
    dossiers,
    listing,
    polls,
    procedures,
)
from store import delivery_claims as claiming
from store import dossier_claims as claiming_dossiers
from store.audit.log import AuditEntry, AuditLog
from store.bulk import update_leased
from store.deliveries import DeliveryState
from store.delivery_claims import ClaimedDelivery
from store.delivery_outcomes import Postponement
from store.dossiers import DossierStatus
from store.leases import Lease
from store.models import Delivery, Dossier, Procedure
from store.settle import Settled

Without = Callable[[pytest.MonkeyPatch], None]


def delivery_claims(patch: pytest.MonkeyPatch) -> None:
    """What is due is looked up, sent and marked; nobody says beforehand that he does it."""

    def claim(
        connection: Connection, *, limit: int, now: datetime, **_: object
    ) -> list[ClaimedDelivery]:
        due = select(Delivery.id).where(Delivery.next_attempt_at <= now).limit(limit)
        found = connection.execute(due).scalars().all()
        return claiming.load_claimed(connection, found)

    patch.setattr(claiming, "claim", claim)
    _unfenced_deliveries(patch)


def dossier_claims(patch: pytest.MonkeyPatch) -> None:
    """Dossiers that are due are read by whoever comes along."""

    def claim(
        connection: Connection,
        procedure: int,
        *,
        limit: int,
        lease: Lease,
        now: datetime,
        **_: object,
    ) -> list[dossiers.DossierRecord]:
        due = (
            select(*dossiers.COLUMNS)
            .where(Dossier.procedure == procedure, Dossier.next_attempt_at <= now)
            .limit(limit)
        )
        return [dossiers.record_of(row) for row in connection.execute(due)]

    patch.setattr(claiming_dossiers, "claim", claim)
    _unfenced_dossiers(patch)


def ending_leases(patch: pytest.MonkeyPatch) -> None:
    """Who claims something has it until he gives it back."""
    claims: dict[Any, Any] = {
        claiming: claiming.claim,
        claiming_dossiers: claiming_dossiers.claim,
    }

    def for_ever(module: Any, model: Any) -> Any:  # noqa: ANN401
        def claim(connection: Connection, *args: Any, lease: Lease, **options: Any) -> Any:  # noqa: ANN401
            claimed = claims[module](connection, *args, lease=lease, **options)
            held = update(model).where(model.lease_token == lease.token)
            connection.execute(held.values(next_attempt_at=None))
            return claimed

        return claim

    patch.setattr(claiming, "claim", for_ever(claiming, Delivery))
    patch.setattr(claiming_dossiers, "claim", for_ever(claiming_dossiers, Dossier))


def fencing(patch: pytest.MonkeyPatch) -> None:
    """Whoever claimed something finishes it, however late, and whoever has it by now."""
    _unfenced_deliveries(patch)
    _unfenced_dossiers(patch)


def _unfenced_deliveries(patch: pytest.MonkeyPatch) -> None:
    def finish_sent(
        connection: Connection,
        audit: AuditLog,
        sent: Mapping[int, AuditEntry],
        lease: Lease,
        now: datetime,
    ) -> frozenset[int]:
        connection.execute(
            update(Delivery)
            .where(Delivery.id.in_(sent))
            .values(state="sent", next_attempt_at=None, lease_token=None, finished_at=now)
        )
        audit.append(connection, now, sent.values())
        return frozenset(sent)

    def postpone(
        connection: Connection, postponements: Sequence[Postponement], lease: Lease, now: datetime
    ) -> frozenset[int]:
        if postponements:
            delivery_outcomes.put_off(connection, postponements, now)
        return frozenset(item.id for item in postponements)

    patch.setattr(delivery_outcomes, "finish_sent", finish_sent)
    patch.setattr(delivery_outcomes, "postpone", postpone)


def _unfenced_dossiers(patch: pytest.MonkeyPatch) -> None:
    def held(
        connection: Connection, procedure: int, numbers: Collection[int], lease: Lease
    ) -> dict[int, datetime | None]:
        query = select(Dossier.number, Dossier.listed_change_at).where(
            Dossier.procedure == procedure, Dossier.number.in_(numbers)
        )
        return dict(connection.execute(query).tuples().all())

    patch.setattr(claiming_dossiers, "held", held)

    def take_and_update(
        connection: Connection,
        model: Any,  # noqa: ANN401
        rows: Sequence[Any],
        *,
        lease: str,
        **how: Any,  # noqa: ANN401
    ) -> None:
        numbers = [row["number"] for row in rows]
        taken = update(model).where(model.number.in_(numbers)).values(lease_token=lease)
        connection.execute(taken)
        update_leased(connection, model, rows, lease=lease, **how)

    patch.setattr(dossier_outcomes, "update_leased", take_and_update)


def withdrawal_locks(patch: pytest.MonkeyPatch) -> None:
    """What may be withdrawn is looked up, and may be claimed before it is withdrawn."""
    unsent = deliveries.unsent

    def unlocked(connection: Connection, keys: Collection[tuple[int, int]]) -> Any:  # noqa: ANN401
        with pytest.MonkeyPatch.context() as each:
            each.setattr(Select, "with_for_update", lambda query, **_: query)
            return unsent(connection, keys)

    patch.setattr(deliveries, "unsent", unlocked)


def procedure_leases(patch: pytest.MonkeyPatch) -> None:
    """A procedure may be polled by several workers at a time."""
    patch.setattr(procedures, "unleased", lambda _: true())
    write = polls.write

    def always(*args: Any) -> bool:  # noqa: ANN401
        write(*args)
        return True

    patch.setattr(polls, "write", always)


def meet_before_storing(patch: pytest.MonkeyPatch, together: threading.Barrier) -> None:
    """Let as many pollers as the barrier holds look up what is known before one of them stores."""
    known = listing.known

    def look_up_and_wait(*args: Any) -> Any:  # noqa: ANN401
        found = known(*args)
        with suppress(threading.BrokenBarrierError):
            together.wait()
        together.abort()
        return found

    patch.setattr(listing, "known", look_up_and_wait)


def sweep(patch: pytest.MonkeyPatch) -> None:
    """Only messages say what is to be done."""
    patch.setattr(sweeping, "sweep", lambda *_: sweeping.SweepReport(0, deliveries=False))


def cursor_in_the_commit(patch: pytest.MonkeyPatch) -> None:
    """The cursor moves on before the page has been read and stored."""
    patch.setattr(Runtime, "tps_for", lambda runtime, _: _CursorFirst(runtime))


class _CursorFirst:
    """TPS, behind a cursor that is stored as if the page that is asked for had been read."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._runtime.tps, name)

    def everything(
        self, form: Form, permit_types: Sequence[PermitType], cursor: str | None
    ) -> Page:
        at = decode(cursor)
        page = scan.under_way(at).page
        if page > 1:
            ahead = at.model_copy(update={"scan": Scan(page=page - 1)})
            mine = update(Procedure).where(Procedure.number == form.procedure)
            with self._runtime.database.begin() as connection:
                connection.execute(mine.values(cursor=encode(ahead)))
        return self._runtime.tps.everything(form, permit_types, cursor)


def failed_pages(patch: pytest.MonkeyPatch) -> None:
    """A page that could not be read is taken for one without rows."""
    read = V1Client.list_page
    pages: dict[object, int] = {}

    def swallow(client: V1Client, procedure: int, *, page: int, **options: Any) -> ListPage:  # noqa: ANN401
        try:
            listed = read(client, procedure, page=page, **options)
        except Failure:
            return ListPage(rows=(), page=page, page_size=1, pages=pages[client], malformed=0)
        pages[client] = listed.pages
        return listed

    patch.setattr(V1Client, "list_page", swallow)


def walk_from_the_end(patch: pytest.MonkeyPatch) -> None:
    """A full scan walks from the first page to the last."""

    def ascending(cursor: Cursor, listed: ListPage) -> Cursor:
        page = scan.under_way(cursor).page
        following = Scan(page=page + 1) if page < listed.pages else None
        return cursor.model_copy(update={"scan": following})

    patch.setattr(scan, "after_page", ascending)


def repeated_absence(patch: pytest.MonkeyPatch) -> None:
    """What a list does not show is taken for deleted."""

    def absent_is_gone(
        connection: Connection, procedure: int, *, scan_started_at: datetime, now: datetime
    ) -> int:
        return connection.execute(
            update(Dossier)
            .where(Dossier.procedure == procedure, Dossier.last_listed_at < scan_started_at)
            .values(status=DossierStatus.GONE.value, reason="absent", next_attempt_at=None)
        ).rowcount

    patch.setattr(listing, "count_absences", absent_is_gone)


def quarantine_clock(patch: pytest.MonkeyPatch) -> None:
    """A dossier that could not be read is set aside for good."""
    put_aside = dossier_outcomes.put_aside

    def for_good(*args: Any, **values: Any) -> None:  # noqa: ANN401
        put_aside(*args, **{**values, "next_attempt_at": None})

    patch.setattr(dossier_outcomes, "put_aside", for_good)


def isolated_reading(patch: pytest.MonkeyPatch) -> None:
    """A dossier that cannot be read ends the batch."""
    read = service.read.read_one

    def strict(*args: Any) -> Any:  # noqa: ANN401
        reading = read(*args)
        if reading.failure is not None:
            raise LookupError
        return reading

    patch.setattr(service.read, "read_one", strict)


def mail_retries(patch: pytest.MonkeyPatch) -> None:
    """A message that failed is noted and forgotten."""

    def forget(
        connection: Connection, postponements: Sequence[Postponement], lease: Lease, now: datetime
    ) -> frozenset[int]:
        ids = [item.id for item in postponements]
        connection.execute(
            update(Delivery)
            .where(Delivery.id.in_(ids))
            .values(state=DeliveryState.SENT.value, next_attempt_at=None, lease_token=None)
        )
        return frozenset(ids)

    patch.setattr(delivery_outcomes, "postpone", forget)


def isolated_recipients(patch: pytest.MonkeyPatch) -> None:
    """A refused recipient ends the batch, and the batch is tried again from its start."""

    make_attempt = service.sending.make_attempt

    def strict(*given: Any) -> service.sending.Attempt:  # noqa: ANN401
        attempt = make_attempt(*given)
        if attempt.failure is not None:
            raise LookupError
        return attempt

    patch.setattr(service.sending, "make_attempt", strict)


def stable_message_ids(patch: pytest.MonkeyPatch) -> None:
    """Every attempt is a new message."""

    def anew(notice: Any, **options: Any) -> Any:  # noqa: ANN401
        return compose(replace(notice, key=notice.key + secrets.token_hex(4)), **options)

    patch.setattr(message, "compose", anew)


def work_budget(patch: pytest.MonkeyPatch) -> None:
    """A task goes on with its batch, however long it has taken so far."""
    patch.setattr(service.sending, "WORK_BUDGET", timedelta.max)
    patch.setattr(service.read, "WORK_BUDGET", timedelta.max)


def lines_of_lost_attempts(patch: pytest.MonkeyPatch) -> None:
    """That an attempt was lost with its worker is written nowhere."""
    append = AuditLog.append

    def without(
        log: AuditLog,
        connection: Connection,
        at: datetime,
        lines: Iterable[AuditEntry],
    ) -> None:
        append(log, connection, at, [line for line in lines if line.reason != "lease-expired"])

    patch.setattr(AuditLog, "append", without)


def long_retries(patch: pytest.MonkeyPatch) -> None:
    """Five attempts, and then nobody tries again."""
    patch.setattr(retries, "MAX_ATTEMPTS", 5)


def free_waits(patch: pytest.MonkeyPatch) -> None:
    """A server that asks us to wait uses up our attempts."""
    patch.setattr(Failure, "action", property(_counting_action))
    patch.setattr(retries, "MAX_ATTEMPTS", 5)


def _counting_action(failure: Failure) -> Any:  # noqa: ANN401
    action = TABLE[failure.cause].action
    return Action.RETRY if failure.cause is Cause.MAIL_THROTTLED else action


def one_commit(patch: pytest.MonkeyPatch) -> None:
    """The decision is committed, and the deliveries that it makes necessary a moment later."""
    queue, announce = deliveries.queue, service.settle.announce
    kept: list[tuple[Any, datetime]] = []
    patch.setattr(deliveries, "queue", lambda _, orders, now: kept.append((list(orders), now)))

    def queue_then_announce(runtime: Runtime, claim: Claim, settled: Settled) -> None:
        with runtime.database.begin() as connection:
            while kept:
                orders, now = kept.pop()
                queue(connection, orders, now)
        announce(runtime, claim, settled)

    patch.setattr("service.route.announce", queue_then_announce)


def clocks_put_right(patch: pytest.MonkeyPatch) -> None:
    """Due times stay as a clock that was wrong has set them."""
    patch.setattr(clock_repair, "put_right", lambda *_, **__: 0)


def universal_time(runtime: Runtime) -> None:
    """The clock of the service shows the time of Paris, and says that it is universal."""
    clock = runtime.clock

    def paris() -> datetime:
        now = clock()
        return now + (now.astimezone(PARIS).utcoffset() or timedelta())

    runtime.clock = paris


def drop_unique_key(connection: Connection) -> None:
    """Let the outbox take the same delivery twice."""
    if connection.dialect.name == "postgresql":
        name = connection.scalar(
            text(
                "SELECT conname FROM pg_constraint "
                "WHERE conrelid = 'deliveries'::regclass AND contype = 'u'"
            )
        )
        connection.execute(text(f"ALTER TABLE deliveries DROP CONSTRAINT {name}"))
        return
    found = "SELECT sql FROM sqlite_master WHERE name = 'deliveries'"
    made = str(connection.scalar(text(found)))
    without = re.sub(r",\s*CONSTRAINT uq_\w+ UNIQUE \([^)]*\)", "", made)
    assert without != made
    connection.execute(text("ALTER TABLE deliveries RENAME TO deliveries_before"))
    connection.execute(text(without))
    connection.execute(text("INSERT INTO deliveries SELECT * FROM deliveries_before"))
    connection.execute(text("DROP TABLE deliveries_before"))


BY_NAME: dict[str, Without] = {
    function.__name__: function
    for function in (
        cursor_in_the_commit,
        delivery_claims,
        dossier_claims,
        ending_leases,
        fencing,
        one_commit,
        procedure_leases,
        sweep,
        work_budget,
    )
}
"""Those that a worker process can be started without."""
