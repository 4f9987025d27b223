"""Reminders: one mail a unit and working day for what waits too long, none for the rest."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.reminders import queue_reminders
from simulator import Server
from tests.fixtures.harness import Harness, make_harness

MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@pytest.fixture
def reminding(database_url: str, tps: Server, tmp_path: Path) -> Iterator[Harness]:
    """Units are reminded after 5 working days, the fallback unit after 7; a Monday morning."""
    chosen: dict[str, Any] = {"remind_after": 5, "escalate_after": 7}
    harness = make_harness(database_url, tps, tmp_path, **chosen)
    harness.now = MONDAY
    yield harness
    harness.runtime.close()


def reminders(harness: Harness) -> list[tuple[str, str]]:
    """Unit and text of each reminder sent."""
    return [
        (mail["X-WIF-Unit"], mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
        for mail in harness.mails()
        if mail["X-WIF-Event"] == "late"
    ]


def test_a_unit_is_reminded_once_a_day_of_all_that_waits(reminding: Harness) -> None:
    numbers = [reminding.file(), reminding.file()]
    reminding.run()
    reminding.wait(days=4, hours=3)
    reminding.run()
    assert reminders(reminding) == []

    reminding.wait(days=3)
    for _ in range(3):
        reminding.run()

    [(unit, text)] = reminders(reminding)
    assert unit == "UD075"
    assert all(f"n° {number} " in text for number in numbers)


def test_it_is_escalated_after_two_more_working_days(reminding: Harness) -> None:
    reminding.file()
    reminding.run()
    reminding.wait(days=9, hours=3)
    reminding.run()

    fallback = reminding.runtime.rules().fallback
    said = dict(reminders(reminding))
    assert said.keys() == {"UD075", fallback}
    assert "Relance (UD075)" in said[fallback]
    assert "relancé lui aussi" in said[fallback]
    assert "(UD075)" not in said["UD075"]


def test_it_stops_when_the_state_moves(reminding: Harness) -> None:
    number = reminding.file()
    reminding.run()
    reminding.wait(days=6)
    reminding.tps.change(number, state="closed")
    reminding.wait(days=1, hours=3)
    reminding.run()

    assert reminders(reminding) == []


def test_nobody_is_reminded_before_the_hour_or_on_a_day_off(reminding: Harness) -> None:
    reminding.file()
    reminding.run()
    reminding.wait(days=7)  # Monday, 8:00 in Paris
    assert queue_reminders(reminding.runtime) == 0
    reminding.wait(days=5, hours=4)  # Saturday
    assert queue_reminders(reminding.runtime) == 0


def test_nobody_is_reminded_unless_the_settings_say_so(harness: Harness) -> None:
    harness.now = MONDAY
    harness.file()
    harness.run()
    harness.wait(days=30, hours=3)
    harness.run()

    assert reminders(harness) == []
