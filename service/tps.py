"""TPS as the settings describe it, by each version of its API."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from config.foreign_messages import translated
from config.messages import tr
from config.settings import Settings, SettingsError
from connectors.tps.port import TpsPort, TpsWritePort
from connectors.tps.transport import Limits, server_address
from connectors.tps.versions import Server, open_tps
from connectors.tps.writing import open_write_port
from routing.forms import TpsApi
from service.guards.limits import TPS_ANSWER

if TYPE_CHECKING:
    from service.guards.throttle import Throttle

Made = TypeVar("Made")


class TpsPorts:
    """The ports of one server, each opened when it is first needed."""

    def __init__(
        self,
        settings: Settings,
        throttles: "Mapping[TpsApi, Throttle]",
        clock: Callable[[], datetime],
    ) -> None:
        """Open nothing yet.

        Args:
            settings: of this process.
            throttles: of each version.
            clock: the present instant.
        """
        self._settings = settings
        self._throttles = throttles
        self._clock = clock
        self._opened: dict[TpsApi, TpsPort] = {}

    def by(self, api: TpsApi) -> TpsPort:
        """The port by a version.

        Raises:
            SettingsError: there is no address or no token.
        """
        if api not in self._opened:
            self._opened[api] = self._open(api)
        return self._opened[api]

    def put(self, api: TpsApi, port: TpsPort) -> None:
        """Ask by another port from now on."""
        self._opened[api] = port

    def close(self) -> None:
        """Close the kept connections."""
        for port in self._opened.values():
            port.close()
        self._opened.clear()

    def _open(self, api: TpsApi) -> TpsPort:
        server = replace(
            _server_of(self._settings),
            clock=self._clock,
            wait_for_request=lambda: self._throttles[api].take(reading=True),
        )
        return _with_address(lambda: open_tps(api, server))


@contextmanager
def write_port(settings: Settings) -> Iterator[TpsWritePort]:
    """What changes things in TPS, whichever version reads dossiers, by the token that may write.

    Raises:
        SettingsError: there is no address or no token.
    """
    try:
        port = open_write_port(settings, seconds=TPS_ANSWER.total_seconds())
    except ValueError as error:
        raise SettingsError(translated(str(error))) from None
    try:
        yield port
    finally:
        port.close()


def tps_address(settings: Settings) -> str | None:
    """The address of TPS, however the settings spell it; None without one.

    Raises:
        SettingsError: it is none.
    """
    url = settings.tps_url
    return None if url is None else _with_address(lambda: server_address(url))


def _with_address(make: Callable[[], Made]) -> Made:
    try:
        return make()
    except ValueError as error:
        raise SettingsError(translated(f"WIF_TPS_URL: {error}")) from None


def _server_of(settings: Settings) -> Server:
    """How the settings say that TPS is reached.

    Raises:
        SettingsError: there is no address or no token.
    """
    if settings.tps_url is None or settings.tps_token is None:
        raise SettingsError(
            tr(
                "WIF_TPS_URL and WIF_TPS_TOKEN: needed to read dossiers; give the address of "
                "the TPS server and the token of the account, or try `wif demo`"
            )
        )
    return Server(
        base_url=settings.tps_url,
        token=settings.tps_token,
        token_in_query=settings.tps_token_in_query,
        limits=Limits(
            connect=settings.tps_connect_timeout,
            read=settings.tps_read_timeout,
            whole=TPS_ANSWER.total_seconds(),
            size=settings.tps_max_bytes,
            quick_retries=1,
        ),
        page_size=settings.tps_page_size,
    )


def dossier_url(settings: Settings, procedure: int, number: int) -> str:
    """The address at which an agent finds a dossier in TPS."""
    return settings.tps_dossier_url.format(
        tps_url=(settings.tps_url or "https://tps.example").removesuffix("/api/v1"),
        procedure=procedure,
        number=number,
    )
