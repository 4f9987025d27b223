"""The versions of the TPS API that can be spoken, by name. Adding one is a line in `_OPENERS`,
one in `_WRITERS` if it can change something, and one in `routing.forms.TpsApi`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.secret import Secret
from connectors.tps.port import TpsPort, TpsWritePort
from connectors.tps.transport import Limits, Transport
from connectors.tps.v1.adapter import TpsV1
from connectors.tps.v1.client import V1Client
from connectors.tps.v2.adapter import TpsV2
from connectors.tps.v2.client import V2Client
from connectors.tps.v2.writing import TpsV2Writing
from routing.forms import TpsApi


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How to reach one TPS server; see `connectors.tps.transport`.

    Attributes:
        base_url: its address, such as `https://tps.example`.
        token: the secret of the account.
        token_in_query: send the token in the URL, for servers of before March 2018 only.
        limits: how long answers may take, and how large they may be.
        page_size: rows of a page of a full scan, where the version leaves the choice.
        clock: the present instant.
        wait_for_request: returns when one more request may be made; called before each request
            that a call makes besides its first.
    """

    base_url: str
    token: Secret
    token_in_query: bool
    limits: Limits
    page_size: int = 100
    clock: Callable[[], datetime] = _utc_now
    wait_for_request: Callable[[], object] = lambda: None


def open_tps(api: TpsApi, server: Server) -> TpsPort:
    """The port to a server by one version of its API; nothing is sent yet.

    Raises:
        ValueError: the address is none.
    """
    return _OPENERS[api](server)


def open_writing(server: Server) -> TpsWritePort:
    """The port that changes things in a server, by `TpsApi.writing()`; nothing is sent yet.

    Raises:
        ValueError: the address is none.
    """
    return _WRITERS[TpsApi.writing()](server)


def _open_v1(server: Server) -> TpsPort:
    client = V1Client(
        base_url=server.base_url,
        token=server.token,
        token_in_query=server.token_in_query,
        connect_timeout=server.limits.connect,
        read_timeout=server.limits.read,
        total_timeout=server.limits.whole,
        max_bytes=server.limits.size,
        quick_retries=server.limits.quick_retries,
    )
    return TpsV1(client, page_size=server.page_size)


def _open_v2(server: Server) -> TpsPort:
    return TpsV2(_v2_client(server), clock=server.clock, wait_for_request=server.wait_for_request)


def _open_v2_writing(server: Server) -> TpsWritePort:
    return TpsV2Writing(_v2_client(server))


def _v2_client(server: Server) -> V2Client:
    transport = Transport(
        base_url=server.base_url,
        token=server.token,
        token_in_query=False,
        limits=server.limits,
    )
    return V2Client(transport)


_OPENERS: dict[TpsApi, Callable[[Server], TpsPort]] = {
    TpsApi.V1: _open_v1,
    TpsApi.V2: _open_v2,
}

_WRITERS: dict[TpsApi, Callable[[Server], TpsWritePort]] = {
    TpsApi.V2: _open_v2_writing,
}
