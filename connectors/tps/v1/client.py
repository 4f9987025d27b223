"""Requests of the TPS REST API v1: pages of lists, and the facts of one dossier."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import requests

from connectors.closing import Closing
from connectors.secret import Secret
from connectors.tps.errors import MalformedReason, Operation, RequestContext, TpsFailure
from connectors.tps.exchange import reduced
from connectors.tps.json_checks import an_object
from connectors.tps.transport import Limits, Transport
from connectors.tps.v1.dossier import facts_of
from connectors.tps.v1.listing import LARGEST_PAGE, ListPage, page_of
from routing.facts import Facts
from routing.failures import Cause
from routing.forms import Form, PermitType

Read = TypeVar("Read")

OBJECTS_A_ROW, OBJECTS_A_PAGE = 4, 50
"""A row is one JSON object, a page two more: an answer with several times as many is not parsed."""


class V1Client(Closing):
    """A client of one TPS server, over connections that it keeps.

    Threads may share it. Processes may not: build it after a fork.

    Every method raises a `TpsFailure`, of the class that says what to do:
    `RetryLater`, `GiveUpOnDossier`, `StopProcedure` or `MalformedResponse`.
    """

    def __init__(
        self,
        *,
        base_url: str,
        token: Secret | Callable[[], str],
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
        total_timeout: float = 60.0,
        max_bytes: int = 5_000_000,
        quick_retries: int = 1,
        token_in_query: bool = False,
        session: requests.Session | None = None,
    ) -> None:
        """Prepare the client; nothing is sent yet.

        Args:
            base_url: address of the server, such as `https://tps.example`.
            token: the secret, or what gives it; asked anew for every call, so that it can change.
            connect_timeout: seconds to connect to one address.
            read_timeout: seconds of silence before a time-out.
            total_timeout: seconds for the whole of an answer, however slowly it comes.
            max_bytes: size of an answer, decoded, above which it is refused.
            quick_retries: how often a call whose connection was cut before any answer is made
                again at once. Longer waits are the database's business.
            token_in_query: send the token in the URL, where every access log keeps it. Only
                for servers of before March 2018.
            session: whose proxies, authorities and client certificate are used in place of the
                environment's. It is not changed, and not used otherwise.

        Raises:
            ValueError: when `base_url` is none, or `session` does not verify TLS.
        """
        self._transport = Transport(
            base_url=base_url,
            token=token,
            token_in_query=token_in_query,
            limits=Limits(
                connect=connect_timeout,
                read=read_timeout,
                whole=total_timeout,
                size=max_bytes,
                quick_retries=quick_retries,
            ),
            session=session,
        )

    def list_page(
        self, procedure: int, *, page: int, size: int = LARGEST_PAGE, newest_first: bool = False
    ) -> ListPage:
        """One page of the dossiers of a procedure.

        Args:
            procedure: its id.
            page: number of the page, from 1.
            size: rows wished for; the server may give fewer a page and says so.
            newest_first: ask for the latest deposit first. Servers of before June 2019 ignore
                it and promise no order at all.
        """
        query: dict[str, str | int] = {"page": page, "resultats_par_page": size}
        if newest_first:
            query["order"] = "desc"
        return self._read(
            RequestContext(Operation.LIST, procedure),
            f"/api/v1/procedures/{procedure:d}/dossiers",
            query,
            partial(page_of, asked=page, size=size),
            most_objects=OBJECTS_A_ROW * size + OBJECTS_A_PAGE,
        )

    def read(self, form: Form, number: int, permit_types: Sequence[PermitType]) -> Facts:
        """The facts of one dossier; nothing else of it leaves the connector.

        Args:
            form: the form that it was filed with.
            number: its number.
            permit_types: in the order in which they are tried.
        """
        return self._read(
            RequestContext(Operation.READ, form.procedure, number),
            f"/api/v1/procedures/{form.procedure:d}/dossiers/{number:d}",
            {},
            partial(facts_of, form=form, number=number, permit_types=permit_types),
        )

    def procedure_exists(self, procedure: int) -> bool:
        """Whether the server knows the procedure and the token may read it.

        What is unknown, hidden or out of the token's scope cannot be told apart.
        """
        try:
            self._read(
                RequestContext(Operation.LOOK_UP, procedure),
                f"/api/v1/procedures/{procedure:d}",
                {},
                _must_be_an_object,
            )
        except TpsFailure as failure:
            if failure.cause is Cause.TPS_NOT_FOUND:
                return False
            raise
        return True

    def close(self) -> None:
        """Close the kept connection."""
        self._transport.close()

    def _read(
        self,
        place: RequestContext,
        path: str,
        query: dict[str, str | int],
        reader: Callable[[object], Read],
        *,
        most_objects: int | None = None,
    ) -> Read:
        send = partial(self._transport.get, place, path, query, most_objects=most_objects)
        return reduced(send, place, reader)


def _must_be_an_object(content: object) -> None:
    an_object(content, MalformedReason.ROOT)
