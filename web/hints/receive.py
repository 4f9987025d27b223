"""Receiving hints: checked, stored, answered; only then are workers woken."""

import hmac
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.tps.hints import MalformedHint, UnverifiedBatch
from service.hints import read_batch, read_form, take, wake
from service.runtime import Runtime
from store.hints import Due, ReceivedHint
from web.hints.counts import COUNTS, Kind, Outcome
from web.hints.group_commit import GroupCommit
from web.hints.rate import Rate
from web.limits import HINTS_PER_SECOND

NOT_FOUND = 404
LATER = {"Retry-After": "5"}

STATUSES = {
    Outcome.STORED: 204,
    Outcome.MALFORMED: 400,
    Outcome.UNVERIFIED: 401,
    Outcome.TOO_MANY: 429,
    Outcome.UNAVAILABLE: 503,
}


def routes(runtime: Runtime) -> Sequence[BaseRoute]:
    """`/hints/SECRET` where a secret is set, `/hints` where there is a folder of secrets."""
    receiver = Receiver(runtime)
    found: list[BaseRoute] = []
    if runtime.settings.hint_secret is not None:
        found.append(Route("/hints/{secret}", receiver.receive_form, methods=["POST"]))
    if runtime.settings.tps_webhook_secrets is not None:
        found.append(Route("/hints", receiver.receive_batch, methods=["POST"]))
    return found


class Receiver:
    """Both kinds of hints of one process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stored = GroupCommit(self._store)
        # Apart from storing: a broker that is away must not keep TPS waiting.
        self._woken = GroupCommit(self._wake)
        self._rate = Rate()

    async def receive_form(self, request: Request) -> Response:
        """Take a hint of the old kind; whoever does not know the secret finds nothing here."""
        known = self._runtime.settings.hint_secret
        given = request.path_params["secret"]
        if known is None or not _is_same(given, known.get_secret_value()):
            return Response(status_code=NOT_FOUND)
        try:
            hint = read_form(await request.body())
        except MalformedHint:
            return _answer(Kind.FORM, Outcome.MALFORMED)
        return _answer(Kind.FORM, await self._take(hint))

    async def receive_batch(self, request: Request) -> Response:
        """Take a signed batch."""
        folder = self._runtime.settings.tps_webhook_secrets
        assert folder is not None  # noqa: S101 - else there is no such route
        try:
            hint = read_batch(await request.body(), request.headers, folder)
        except MalformedHint:
            return _answer(Kind.BATCH, Outcome.MALFORMED)
        except UnverifiedBatch:
            return _answer(Kind.BATCH, Outcome.UNVERIFIED)
        return _answer(Kind.BATCH, await self._take(hint))

    async def _take(self, hint: ReceivedHint) -> Outcome:
        if not self._rate.hit(HINTS_PER_SECOND):
            return Outcome.TOO_MANY
        try:
            due = await self._stored.submit(hint)
        except SQLAlchemyError:
            return Outcome.UNAVAILABLE
        if due.polls or due.routes:
            self._woken.put(due)
        return Outcome.STORED

    def _store(self, received: Sequence[ReceivedHint]) -> Due:
        return take(self._runtime, received)

    def _wake(self, found: Sequence[Due]) -> None:
        polls = frozenset[int]().union(*(due.polls for due in found))
        reads = frozenset[int]().union(*(due.routes for due in found))
        wake(self._runtime.waker, Due(polls, reads))


def _answer(kind: Kind, outcome: Outcome) -> Response:
    COUNTS[kind, outcome] += 1
    later = outcome in {Outcome.TOO_MANY, Outcome.UNAVAILABLE}
    return Response(status_code=STATUSES[outcome], headers=LATER if later else None)


def _is_same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())
