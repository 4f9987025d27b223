"""What makes polling and reading whole, taken away."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, update

import service.read
import service.sending
import service.settle
from connectors.tps.v1 import scan
from connectors.tps.v1.client import V1Client
from connectors.tps.v1.cursor import Cursor, Scan, decode, encode
from connectors.tps.v1.listing import ListPage
from routing.failures import Failure
from routing.forms import Form, PermitType
from routing.listing import Page
from service import sweep as sweeping
from service.runtime import Runtime
from store import (
    dossier_outcomes,
    listing,
)
from store.dossiers import DossierStatus
from store.models import Dossier, Procedure


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
