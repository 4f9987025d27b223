"""A version of the API is opened by its name."""

import pytest
from pydantic import SecretStr

from connectors.tps.transport import Limits
from connectors.tps.v1.adapter import TpsV1
from connectors.tps.versions import Server, open_tps
from routing.forms import TpsApi

LIMITS = Limits(connect=1, read=1, whole=2, size=1_000, quick_retries=0)


def server(base_url: str = "https://tps.example") -> Server:
    return Server(
        base_url=base_url,
        token=SecretStr("jeton"),
        token_in_query=False,
        limits=LIMITS,
        page_size=10,
    )


def test_v1_is_opened() -> None:
    port = open_tps(TpsApi.V1, server())
    assert isinstance(port, TpsV1)
    port.close()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="address of TPS"):
        open_tps(TpsApi.V1, server("tps.example"))
