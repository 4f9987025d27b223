"""A version of the API is opened by its name."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from connectors.tps.transport import Limits
from connectors.tps.v1.adapter import TpsV1
from connectors.tps.v2.adapter import TpsV2
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
        clock=lambda: datetime(2026, 11, 2, tzinfo=UTC),
        wait_for_request=lambda: None,
    )


@pytest.mark.parametrize(("api", "kind"), [(TpsApi.V1, TpsV1), (TpsApi.V2, TpsV2)])
def test_each_version_is_opened(api: TpsApi, kind: type) -> None:
    port = open_tps(api, server())
    assert isinstance(port, kind)
    port.close()


@pytest.mark.parametrize("api", TpsApi)
def test_an_address_that_is_none_is_refused(api: TpsApi) -> None:
    with pytest.raises(ValueError, match="address of TPS"):
        open_tps(api, server("tps.example"))
