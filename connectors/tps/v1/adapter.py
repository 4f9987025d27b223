"""The TPS port by v1: two walks over numbered pages, and one request for each dossier."""

from collections.abc import Sequence

from connectors.tps.errors import TpsFailure
from connectors.tps.v1 import newest, scan
from connectors.tps.v1.client import V1Client
from connectors.tps.v1.cursor import decode, encode
from connectors.tps.v1.listing import LARGEST_PAGE
from routing.facts import Facts
from routing.failures import Cause
from routing.form_fields import FormField
from routing.forms import Form, PermitType
from routing.listing import Page


class TpsV1:
    """One TPS server by its API v1; see `connectors.tps.port.TpsPort`."""

    def __init__(self, client: V1Client, *, page_size: int = LARGEST_PAGE) -> None:
        """Prepare the port; nothing is sent yet.

        Args:
            client: makes the requests, and is closed with this.
            page_size: rows of a page of the walk through everything; the server may give fewer.
        """
        self._client = client
        self._page_size = page_size

    def changes(self, form: Form, permit_types: Sequence[PermitType], cursor: str | None) -> Page:
        """The newest page, or the one that follows in a walk that is under way."""
        at = decode(cursor)
        try:
            listed = self._client.list_page(
                form.procedure, page=at.newest, size=newest.PAGE_SIZE, newest_first=True
            )
        except TpsFailure as failure:
            if not _is_missing(failure, at.newest):
                raise
            return Page(rows=(), cursor=newest.over(at), more=False)
        return newest.after_page(at, listed)

    def everything(
        self, form: Form, permit_types: Sequence[PermitType], cursor: str | None
    ) -> Page:
        """The page before the one that `cursor` has passed, from the last to the first."""
        at = decode(cursor)
        page = scan.under_way(at).page
        try:
            listed = self._client.list_page(form.procedure, page=page, size=self._page_size)
        except TpsFailure as failure:
            if not _is_missing(failure, page):
                raise
            return Page(rows=(), cursor=encode(scan.after_missing(at)), more=True)
        following = scan.after_page(at, listed)
        return Page(
            rows=listed.rows,
            cursor=encode(following),
            more=following.scan is not None,
            malformed=listed.malformed,
        )

    def facts(
        self, form: Form, permit_types: Sequence[PermitType], number: int, cursor: str | None
    ) -> Facts:
        """The facts of one dossier, by a request for it."""
        return self._client.read(form, number, permit_types)

    def can_read(self, procedure: int) -> bool:
        """Whether the server knows the procedure and the token may read it."""
        return self._client.procedure_exists(procedure)

    def fields(self, form: Form) -> tuple[FormField, ...] | None:
        """None: v1 shows fields with the dossiers that have them, not with the form."""
        return None

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()


def _is_missing(failure: TpsFailure, page: int) -> bool:
    """Whether the list has no such page: some servers say 404 where others give an empty one."""
    return failure.cause is Cause.TPS_NOT_FOUND and page > 1
