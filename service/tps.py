"""TPS as the settings describe it."""

from config.settings import Settings, SettingsError
from connectors.tps.port import TpsPort
from connectors.tps.transport import Limits
from connectors.tps.versions import Server, open_tps
from service.guards.limits import TPS_ANSWER


def open_configured_tps(settings: Settings) -> TpsPort:
    """A client of TPS by the version of its API that the settings name.

    Raises:
        SettingsError: there is no address or no token, or the version cannot be spoken.
    """
    try:
        return open_tps(settings.tps_api, configured_server(settings))
    except ValueError as error:
        raise SettingsError(f"WIF_TPS_API: {error}") from None


def configured_server(settings: Settings) -> Server:
    """How the settings say that TPS is reached.

    Raises:
        SettingsError: there is no address or no token.
    """
    if settings.tps_url is None or settings.tps_token is None:
        raise SettingsError(
            "WIF_TPS_URL and WIF_TPS_TOKEN: needed to read dossiers; give the address of the "
            "TPS server and the token of the account, or try `wif demo`"
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
