"""Dossiers that cannot be read are tried again later and later, or are gone."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from routing.failures import Cause, Failure
from routing.quarantine import ABSENCES_BEFORE_ASKING, LOSSES_BEFORE_ALONE, put_aside
from routing.retries import QUARANTINE_LONGEST_DELAY


@dataclass(frozen=True)
class Known:
    """What is known of a dossier that could not be read."""

    attempts: int = 0
    absences: int = 0


def no_jitter() -> float:
    return 0.0


def test_each_failure_doubles_the_wait_up_to_the_longest() -> None:
    failure = Failure(Cause.TPS_UNAVAILABLE)
    waits = [put_aside(Known(attempts=n), failure, no_jitter).wait for n in (0, 1, 2, 50)]
    assert waits == [
        timedelta(seconds=30),
        timedelta(seconds=60),
        timedelta(seconds=120),
        QUARANTINE_LONGEST_DELAY,
    ]


def test_what_tps_asks_to_wait_is_waited() -> None:
    failure = Failure(Cause.TPS_UNAVAILABLE, retry_after=600)
    assert put_aside(Known(), failure, no_jitter).wait == timedelta(seconds=600)


@pytest.mark.parametrize(
    ("cause", "absences", "gone"),
    [
        (Cause.TPS_NOT_FOUND, ABSENCES_BEFORE_ASKING, True),
        (Cause.TPS_NOT_FOUND, ABSENCES_BEFORE_ASKING - 1, False),
        (Cause.TPS_UNAVAILABLE, ABSENCES_BEFORE_ASKING, False),
    ],
)
def test_it_is_gone_when_scans_miss_it_and_tps_has_none_of_its_number(
    cause: Cause, absences: int, gone: bool
) -> None:
    assert put_aside(Known(absences=absences), Failure(cause), no_jitter).gone is gone


def test_a_dossier_that_workers_were_lost_with_is_read_alone_next_time() -> None:
    lost = put_aside(Known(), Failure(Cause.READER_LOST), no_jitter)
    assert lost.worker_losses == LOSSES_BEFORE_ALONE
    assert put_aside(Known(), Failure(Cause.INTERNAL), no_jitter).worker_losses == 0
