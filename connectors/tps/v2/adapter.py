"""The TPS port by v2: a page is one request, and brings the facts of its dossiers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus

from connectors.tps.errors import MalformedReason, Operation, RequestContext, TpsFailure
from connectors.tps.json_checks import an_object
from connectors.tps.port import Page
from connectors.tps.v2 import documents, walk
from connectors.tps.v2.client import V2Client, field_variables
from connectors.tps.v2.cursor import Cursor, KnownFields, decode, encode, instant
from connectors.tps.v2.dossier import needs_establishment
from connectors.tps.v2.fields import FoundFields, described, wanted, wanted_digest
from connectors.tps.v2.forms import Forms, same_ids
from connectors.tps.v2.graphql_errors import data_of
from connectors.tps.v2.page import PageAnswer, PageReader
from connectors.tps.v2.single import SingleReader
from connectors.tps.v2.steps import after_page
from connectors.tps.v2.walk import Walk
from routing.facts import Facts
from routing.failures import Cause
from routing.form_fields import FormField
from routing.forms import Form, PermitType

_SMALLER_HELPS = frozenset({Cause.TPS_OVERSIZED, Cause.TPS_MALFORMED})
_SMALLER_HELPS_WHERE_SAID = frozenset({Cause.TPS_TIMEOUT, Cause.TPS_UNAVAILABLE})


class TpsV2:
    """One TPS server by its API v2; see `connectors.tps.port.TpsPort`.

    Each call for a page is one request: what has to be asked first, the fields of the form for
    instance, comes as a page without rows that has `more`.
    """

    def __init__(
        self,
        client: V2Client,
        *,
        clock: Callable[[], datetime],
        wait_for_request: Callable[[], object] = lambda: None,
    ) -> None:
        """Prepare the port; nothing is sent yet.

        Args:
            client: makes the requests, and is closed with this.
            clock: the present instant; only its differences matter.
            wait_for_request: called before each request after the first that `facts` makes.
        """
        self._client = client
        self._clock = clock
        self._wait_for_request = wait_for_request
        self._forms = Forms(client)
        self._single = SingleReader(client, self._forms, wait_for_request)
        self._too_slow: dict[int, int] = {}

    def changes(self, form: Form, permit_types: Sequence[PermitType], cursor: str | None) -> Page:
        """The next page of what is new or changed, sorted by modification."""
        return self._page(form, permit_types, decode(cursor), walk.CHANGES)

    def everything(
        self, form: Form, permit_types: Sequence[PermitType], cursor: str | None
    ) -> Page:
        """The next page of all dossiers, sorted by deposit."""
        return self._page(form, permit_types, decode(cursor), walk.EVERYTHING)

    def facts(
        self, form: Form, permit_types: Sequence[PermitType], number: int, cursor: str | None
    ) -> Facts:
        """The facts of one dossier, by a request for it."""
        known = _found(form, decode(cursor))
        if known is None:
            known = self._forms.find_today(form)
            self._wait_for_request()
        return self._single.facts(form, permit_types, number, known)

    def can_read(self, procedure: int) -> bool:
        """Whether the server knows the procedure and the token may read it."""
        place = RequestContext(Operation.LOOK_UP, procedure)

        def read(content: object) -> bool:
            an_object(data_of(content, place).get("demarche"), MalformedReason.PROCEDURE)
            return True

        try:
            return self._client.ask(place, documents.PROCEDURE, {"procedure": procedure}, read)
        except TpsFailure as failure:
            # A bad token is refused by HTTP; a form that it does not cover, in an answer.
            out_of_scope = failure.cause is Cause.TPS_FORBIDDEN and _was_answered(failure)
            if (failure.cause is Cause.TPS_NOT_FOUND and _was_answered(failure)) or out_of_scope:
                return False
            raise

    def fields(self, form: Form) -> tuple[FormField, ...] | None:
        """The fields that routing reads, as the form has them today."""
        return described(form, self._forms.today(form.procedure))

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def _page(
        self, form: Form, permit_types: Sequence[PermitType], at: Cursor, walking: Walk
    ) -> Page:
        now = self._clock()
        begun = walking.begin(at, now)
        known = _found(form, begun)
        if known is None:
            found = self._forms.find_today(form)
            return _goes_on(begun.model_copy(update={"fields": _kept(form, found, now)}))
        begun = self._in_time(form.procedure, begun)
        try:
            page = self._ask(form, permit_types, begun, walking, known)
        except TpsFailure as failure:
            instead = _after_failure(begun, failure)
            if instead is None:
                self._remember_silence(form.procedure, begun, failure)
                raise
            return _goes_on(instead)
        self._too_slow.pop(form.procedure, None)
        return after_page(begun, walking, page, now)

    def _in_time(self, procedure: int, at: Cursor) -> Cursor:
        """The cursor for a page that is small enough to come before we hang up."""
        size = self._too_slow.get(procedure, at.size)
        return walk.sized(at, min(size, at.size))

    def _remember_silence(self, procedure: int, at: Cursor, failure: TpsFailure) -> None:
        """A server that says nothing may be down, or busy with a page that is too large.

        The failure has to reach what counts failures, so that no cursor is stored;
        this process asks for less the next time.
        """
        if failure.cause is Cause.TPS_TIMEOUT:
            self._too_slow[procedure] = max(at.size // walk.SHRINK, 1)

    def _ask(
        self,
        form: Form,
        permit_types: Sequence[PermitType],
        at: Cursor,
        walking: Walk,
        known: FoundFields,
    ) -> PageAnswer:
        place = RequestContext(Operation.LIST, form.procedure)
        position = walking.position(at)
        variables: dict[str, object] = {
            "procedure": form.procedure,
            "first": at.size,
            "after": position.after,
            "since": position.since and instant(position.since),
        }
        reader = PageReader(
            form=form,
            permit_types=permit_types,
            place=place,
            fields=tuple(known.ids),
            same_ids=lambda revision: self._has_same_ids(form, revision, known),
        )
        if at.numbers_only:
            ask = self._client.ask
            return ask(place, documents.NUMBERS, variables, reader.numbers, rows=at.size)
        if at.deletions is None:
            raise RuntimeError("a walk was not begun")
        variables |= {
            "deleted_since": instant(at.deletions.since),
            "deleted_after": at.deletions.after,
            "pending_after": at.deletions.pending_after,
            **field_variables(known.ids, addresses=known.addresses),
        }
        document = documents.PAGE[needs_establishment(form, permit_types)]
        return self._client.ask(place, document, variables, reader.dossiers, rows=at.size)

    def _has_same_ids(self, form: Form, revision: str, today: FoundFields) -> bool:
        known = self._forms.remembered(form, revision, today)
        return known is not None and same_ids(known.ids, today.ids)


def _found(form: Form, at: Cursor) -> FoundFields | None:
    """The fields as the cursor knows them, None when they are to be looked up."""
    if not wanted(form):
        return FoundFields("", {}, addresses=False, mismatch={})
    known = at.fields
    if known is None or known.wanted != wanted_digest(form):
        return None
    return FoundFields(known.revision, known.ids, known.addresses, {})


def _kept(form: Form, found: FoundFields, now: datetime) -> KnownFields:
    return KnownFields(
        revision=found.revision,
        wanted=wanted_digest(form),
        ids=dict(found.ids),
        addresses=found.addresses,
        checked_at=now,
    )


def _after_failure(at: Cursor, failure: TpsFailure) -> Cursor | None:
    """Where to go on although a page could not be given; None: nowhere for now."""
    if failure.cause is Cause.TPS_REJECTED and _was_answered(failure):
        return walk.started_over(at)
    said = failure.cause in _SMALLER_HELPS_WHERE_SAID and (
        _was_answered(failure) or failure.status == HTTPStatus.GATEWAY_TIMEOUT
    )
    return walk.shrunk(at) if said or failure.cause in _SMALLER_HELPS else None


def _was_answered(failure: TpsFailure) -> bool:
    """Whether the answer itself says so, and not the way to it."""
    return failure.status == HTTPStatus.OK


def _goes_on(at: Cursor) -> Page:
    return Page(rows=(), cursor=encode(at), more=True)
