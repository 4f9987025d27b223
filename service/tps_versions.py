"""Which versions of its API a TPS answers to, and how much of each limit is used."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from routing.failures import Cause, Failure
from routing.forms import TpsApi
from service.connections import Connections

FEW_PROCEDURES = 3
"""Procedures that each version is asked about: a token may not cover the first ones."""

_NO_ANSWER = frozenset({Cause.TPS_NOT_FOUND, Cause.TPS_REDIRECTED, Cause.TPS_REJECTED})
"""What a server says that has no such API."""


@dataclass(frozen=True, slots=True)
class LimitUse:
    """The limit of requests by one version.

    Attributes:
        per_minute: requests that are allowed.
        used: the share that is used up; None without a broker that could tell.
    """

    per_minute: int
    used: float | None


def answering(connections: Connections, procedures: Collection[int]) -> tuple[TpsApi, ...]:
    """The versions by which at least one of the first few procedures can be read.

    Raises:
        Failure: the server does not answer, or refuses the token.
        SettingsError: there is no address or no token.
    """
    asked = tuple(procedures)[:FEW_PROCEDURES] or (1,)
    return tuple(api for api in TpsApi if _answers(connections, api, asked))


def limit_use(connections: Connections) -> Mapping[str, LimitUse]:
    """How much of the limit is used, by version: that of the settings, and any other in use."""
    settings = connections.settings
    shared = settings.broker_url is not None
    used = {api: connections.throttles[api].used() if shared else None for api in TpsApi}
    return {
        api.value: LimitUse(settings.requests_per_minute(api), used[api])
        for api in TpsApi
        if used[api] or api is settings.tps_api
    }


def _answers(connections: Connections, api: TpsApi, procedures: Collection[int]) -> bool:
    port = connections.tps_ports.by(api)
    try:
        return any(port.can_read(number) for number in procedures)
    except Failure as failure:
        if failure.cause in _NO_ANSWER:
            return False
        raise
