"""Which incidents there are follows from how long things wait."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from config.settings import read
from routing.incidents import IncidentKind, PresentIncident
from service.incidents import CLOSES_BELOW, present_incidents
from store.overview import Wait, Waits

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SETTINGS = read()
LIMIT = timedelta(seconds=SETTINGS.alarm_unread_after)
NONE = Wait(0, None)
QUIET = Waits(
    unread=NONE,
    unsent=NONE,
    polled={1: NOW},
    unrouted=NONE,
    quarantined=NONE,
    dead={},
    stopped={},
    paused=[],
)


def kinds(waiting: Waits, *lasting: IncidentKind) -> set[IncidentKind]:
    known = [(kind, "") for kind in lasting]
    return {each.kind for each in present_incidents(waiting, SETTINGS, NOW, known)}


def unread_for(age: timedelta) -> Waits:
    return replace(QUIET, unread=Wait(1, NOW - age))


def test_nothing_waits_and_nothing_is_wrong() -> None:
    assert kinds(QUIET) == set()


@pytest.mark.parametrize(("age", "found"), [(1.0, True), (0.99, False)])
def test_an_incident_begins_at_its_age(age: float, found: bool) -> None:
    assert (IncidentKind.UNREAD in kinds(unread_for(LIMIT * age))) is found


@pytest.mark.parametrize(("age", "found"), [(CLOSES_BELOW, True), (CLOSES_BELOW - 0.01, False)])
def test_it_ends_at_half_of_it(age: float, found: bool) -> None:
    lasting = kinds(unread_for(LIMIT * age), IncidentKind.UNREAD)
    assert (IncidentKind.UNREAD in lasting) is found


def test_dead_letters_stops_and_pauses_are_incidents_at_once() -> None:
    waiting = replace(
        QUIET, dead={"mail-rejected": Wait(2, NOW)}, stopped={"tps-forbidden": [1, 2]}, paused=[3]
    )
    found = {(each.kind, each.subject): each.count for each in _present(waiting)}
    assert found == {
        (IncidentKind.DEAD_LETTERS, "mail-rejected"): 2,
        (IncidentKind.STOPPED, "tps-forbidden"): 2,
        (IncidentKind.DRIFT, "3"): 1,
    }


def test_the_lag_counts_the_procedures_that_were_not_polled_for_too_long() -> None:
    limit = timedelta(seconds=SETTINGS.alarm_poll_lag_after)
    waiting = replace(QUIET, polled={1: NOW, 2: NOW - limit, 3: NOW - 2 * limit})
    (lag,) = _present(waiting)
    assert (lag.kind, lag.count, lag.since) == (IncidentKind.POLL_LAG, 2, NOW - 2 * limit)


def _present(waiting: Waits) -> list[PresentIncident]:
    return list(present_incidents(waiting, SETTINGS, NOW))
