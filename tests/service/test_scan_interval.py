"""Full scans never take more than a tenth of the limit, whatever a country has."""

import pytest

from config.settings import Settings, read
from routing.forms import TpsApi
from service.scan_interval import scan_interval

MINUTE = 60.0


@pytest.fixture
def settings() -> Settings:
    return read(tps_url="https://tps.example", scan_interval=900)


@pytest.mark.parametrize("sizes", [[30] * 74, [30] * 1_000, [5_000] * 200, [10] * 99 + [90_000]])
@pytest.mark.parametrize("api", TpsApi)
def test_all_scans_together_keep_to_a_tenth(
    settings: Settings, sizes: list[int], api: TpsApi
) -> None:
    each_minute = sum(
        (size // api.page + 1)
        / (
            scan_interval(settings, api=api, polled=len(sizes), dossiers=size).total_seconds()
            / MINUTE
        )
        for size in sizes
    )
    assert each_minute <= settings.requests_per_minute(api) / 10 + 1e-6


def test_the_published_procedures_are_scanned_as_often_as_is_set(settings: Settings) -> None:
    found = scan_interval(settings, api=TpsApi.V2, polled=74, dossiers=80)
    assert found.total_seconds() == 900
