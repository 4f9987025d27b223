"""Work in a queue that no worker takes is an incident, though all the others live."""

from collections.abc import Sequence

import pytest

from routing.units import GROUP_CHANNEL
from service import consumers, queues, watch_health
from store import heartbeats, incidents
from tests.fixtures.harness import Harness
from tests.service.grouped_offices import Offices

LIVING = ("beat", "poll", "route", "upkeep")


def look(harness: Harness, alive: Sequence[str], *, minutes: int) -> list[tuple[str, str]]:
    """A look each minute; the incidents of queues that last after them."""
    for _ in range(minutes):
        harness.wait(minutes=1)
        watch_health.check(harness.runtime, alive=alive)
    with harness.runtime.database.read() as connection:
        lasting = [(each.kind.value, each.subject) for each in incidents.lasting(connection)]
    return [each for each in lasting if each[0] == "queue-unserved"]


@pytest.fixture
def waiting(harness: Harness) -> Harness:
    """A dossier that was told of, and one that waits to be read."""
    harness.file()
    harness.run()
    with harness.runtime.database.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE deliveries SET state = 'pending', finished_at = NULL, "
            "next_attempt_at = created_at"
        )
    return harness


def test_deliveries_without_a_worker_are_an_incident_until_one_takes_them(waiting: Harness) -> None:
    assert look(waiting, LIVING, minutes=3) == []
    assert look(waiting, LIVING, minutes=1) == [("queue-unserved", "deliver")]
    assert look(waiting, (*LIVING, "deliver"), minutes=1) == []


def test_a_queue_without_work_needs_no_worker(waiting: Harness) -> None:
    waiting.run()
    living = ("beat", "poll", "route", "deliver", "upkeep")
    assert look(waiting, living, minutes=10) == []
    without_other_channels = {name for name in queues.ALL if name.startswith("deliver-")}
    assert without_other_channels.isdisjoint(living)


def test_a_worker_that_falls_silent_is_missed_after_three_minutes(waiting: Harness) -> None:
    assert look(waiting, (*LIVING, "deliver"), minutes=10) == []
    assert look(waiting, LIVING, minutes=2) == []
    assert look(waiting, LIVING, minutes=1) == [("queue-unserved", "deliver")]


def test_after_a_night_without_any_worker_each_has_its_time_to_start(waiting: Harness) -> None:
    look(waiting, (*LIVING, "deliver"), minutes=5)
    waiting.wait(hours=9)
    assert look(waiting, LIVING, minutes=1) == []
    assert look(waiting, (*LIVING, "deliver"), minutes=5) == []


def test_it_is_not_over_while_nobody_could_tell(waiting: Harness) -> None:
    look(waiting, LIVING, minutes=4)
    assert look(waiting, (), minutes=5) == [("queue-unserved", "deliver")]
    waiting.wait(hours=1)
    assert look(waiting, LIVING, minutes=1) == [("queue-unserved", "deliver")]
    assert look(waiting, (*LIVING, "deliver"), minutes=1) == []


def test_the_queue_of_moves_is_needed_while_dossiers_are_moved_to_groups_of_units(
    offices: Offices,
) -> None:
    runtime, moves = offices.harness.runtime, queues.of_channel(GROUP_CHANNEL)
    off = runtime.settings.model_copy(update={"tps_write_back": False})
    assert moves in consumers.needed(runtime.settings, runtime.rules())
    assert moves not in consumers.needed(off, runtime.rules())
    offices.publish({})
    assert moves not in consumers.needed(runtime.settings, runtime.rules())


def test_what_nobody_notes_is_not_known(harness: Harness) -> None:
    with harness.runtime.database.begin() as connection:
        heartbeats.note(connection, ["beat", "poll", "upkeep"], harness.now)
    harness.wait(minutes=10)
    with harness.runtime.database.read() as connection:
        pulses = heartbeats.listing(connection)
    assert list(consumers.unserved(pulses, queues.ALL, harness.now)) == []
    found = {each.name: consumers.liveness(each, pulses, harness.now).value for each in pulses}
    assert found == {"beat": "unknown", "poll": "unknown", "upkeep": "silent"}
