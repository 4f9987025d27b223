"""What changes things in TPS, as the settings describe it: one way for moves and for webhooks."""

from typing import TYPE_CHECKING, Protocol

from connectors.secret import Secret

if TYPE_CHECKING:
    from connectors.tps.port import TpsWritePort


class WriteSettings(Protocol):
    """What is read of the settings."""

    @property
    def tps_url(self) -> str | None: ...

    @property
    def tps_token(self) -> Secret | None: ...

    @property
    def tps_write_token(self) -> Secret | None: ...

    @property
    def tps_connect_timeout(self) -> float: ...

    @property
    def tps_read_timeout(self) -> float: ...

    @property
    def tps_max_bytes(self) -> int: ...


def open_write_port(settings: WriteSettings, *, seconds: float) -> "TpsWritePort":
    """The port that changes things, by the token that may write; nothing is sent yet.

    Args:
        settings: of this process.
        seconds: for one call in all.

    Raises:
        ValueError: there is no address or no token; its text names the settings.
    """
    # HTTP takes longer to load than most commands of the command line to run.
    from connectors.tps.transport import Limits  # noqa: PLC0415
    from connectors.tps.versions import Server, open_writing  # noqa: PLC0415

    token = settings.tps_write_token or settings.tps_token
    if settings.tps_url is None or token is None:
        raise ValueError("WIF_TPS_URL and WIF_TPS_WRITE_TOKEN: needed to change things in TPS")
    limits = Limits(
        connect=settings.tps_connect_timeout,
        read=settings.tps_read_timeout,
        whole=seconds,
        size=settings.tps_max_bytes,
        quick_retries=1,
    )
    server = Server(base_url=settings.tps_url, token=token, token_in_query=False, limits=limits)
    try:
        return open_writing(server)
    except ValueError as error:
        raise ValueError(f"WIF_TPS_URL: {error}") from None
