"""How often everything is walked through: so that scans take a tenth of the limit at most."""

from collections import Counter
from datetime import timedelta

from sqlalchemy import Connection

from config.settings import Settings
from routing.forms import TpsApi
from store import procedures, tallies
from store.tallies import Metric

SHARE = 0.1
"""Of the requests that TPS allows: the rest is for what is new, and for reading dossiers."""

MINUTE_SECONDS = 60


def scan_interval(settings: Settings, *, api: TpsApi, polled: int, dossiers: int) -> timedelta:
    """The time between two scans of a procedure.

    When each procedure gets its part of what scans may take, all of them together keep to it.

    Args:
        settings: give the shortest interval, and the limit.
        api: the version that the procedure is read with.
        polled: procedures that are polled.
        dossiers: of this procedure.
    """
    requests = dossiers // min(settings.tps_page_size, api.page) + 1
    allowed = settings.requests_per_minute(api) * SHARE / MINUTE_SECONDS
    return timedelta(seconds=max(settings.scan_interval, requests * polled / allowed))


def longest_scan_interval(connection: Connection, settings: Settings) -> timedelta:
    """The longest time that a clock that is right can put off a scan of any procedure."""
    counted = dossiers_by_procedure(connection)
    largest = max(counted.values(), default=0)
    known = max(len(procedures.listing(connection)), 1)
    return max(scan_interval(settings, api=api, polled=known, dossiers=largest) for api in TpsApi)


def dossiers_by_procedure(connection: Connection) -> Counter[int]:
    """How many dossiers are known of each procedure."""
    counted: Counter[int] = Counter()
    for cell in tallies.read(connection):
        if cell.metric == Metric.DOSSIERS.value:
            counted[cell.procedure] += cell.amount
    return counted
