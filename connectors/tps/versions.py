"""The versions of the TPS API that can be spoken, by name. Adding one is a line in `_OPENERS`."""

from collections.abc import Callable
from dataclasses import dataclass

from connectors.tps.port import TpsPort
from connectors.tps.transport import Limits, Secret
from connectors.tps.v1.adapter import TpsV1
from connectors.tps.v1.client import V1Client
from routing.forms import TpsApi


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How to reach one TPS server; see `connectors.tps.transport`.

    Attributes:
        base_url: its address, such as `https://tps.example`.
        token: the secret of the account.
        token_in_query: send the token in the URL, for servers of before March 2018 only.
        limits: how long answers may take, and how large they may be.
        page_size: rows of a page of a full scan, where the version leaves the choice.
    """

    base_url: str
    token: Secret
    token_in_query: bool
    limits: Limits
    page_size: int


def open_tps(api: TpsApi, server: Server) -> TpsPort:
    """The port to a server by one version of its API; nothing is sent yet.

    Raises:
        ValueError: the address is none, or the version cannot be spoken.
    """
    opener = _OPENERS.get(api)
    if opener is None:
        raise ValueError(f"{api.value}: this version of the API is not supported yet")
    return opener(server)


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


_OPENERS: dict[TpsApi, Callable[[Server], TpsPort]] = {TpsApi.V1: _open_v1}
