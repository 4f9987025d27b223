"""Reminders: one mail a unit and working day for what waits too long, none for the rest."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.office_days import is_working_day
from service.reminders import ReminderTerms, due_today, queue_reminders
from simulator import Server
from store.waiting_dossiers import WaitingDossier
from tests.fixtures import shipped_rules
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
    # First the dossier itself, then its reminder: each is queued once and sent once.
    assert [reminding.steps(number).count("queued") for number in numbers] == [2, 2]
    assert [reminding.steps(number).count("sent") for number in numbers] == [2, 2]


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


Escalating = Callable[..., None]


@pytest.fixture
def escalating(reminding: Harness) -> Escalating:
    """Puts the shipped rules in force with the `escalate_to` of some units, and closing days."""

    def change(*, closing: dict[str, date] | None = None, **units: str | None) -> None:
        def edit(content: dict[str, Any]) -> None:
            for code, to in units.items():
                shipped_rules.unit_of(content, code)["escalate_to"] = to
            for code, on in (closing or {}).items():
                shipped_rules.unit_of(content, code)["closes"] = on.isoformat()

        shipped_rules.publish_edited(reminding.runtime, edit)

    return change


def listed(text: str) -> list[int]:
    """The dossiers that a reminder lists."""
    return [int(number) for number in re.findall(r"^- n° (\d+) ", text, re.MULTILINE)]


def test_a_unit_that_names_its_region_is_escalated_there_and_no_other_is(
    reminding: Harness, escalating: Escalating
) -> None:
    escalating(UD075="UD033")
    paris = reminding.file()
    elsewhere = reminding.file(permit_department="93 - Seine-Saint-Denis")
    reminding.run()
    reminding.wait(days=9, hours=3)
    reminding.run()

    found = {unit: listed(text) for unit, text in reminders(reminding)}
    assert found == {
        "UD075": [paris],
        "UD033": [paris],
        "UD093": [elsewhere],
        reminding.runtime.rules().fallback: [elsewhere],
    }


@pytest.mark.parametrize("closed", [date(2026, 11, 30), date(2027, 6, 1)])
def test_a_region_that_has_closed_is_not_told_but_the_national_unit(
    reminding: Harness, escalating: Escalating, closed: date
) -> None:
    escalating(closing={"UD033": closed}, UD075="UD033")
    reminding.file()
    reminding.run()
    reminding.wait(days=9, hours=3)
    reminding.run()

    told = {unit for unit, _ in reminders(reminding)}
    still_open = closed > reminding.now.date()
    assert told == {"UD075", "UD033" if still_open else reminding.runtime.rules().fallback}


@pytest.mark.parametrize("way", ["names itself", "is the successor of its region", "is for all"])
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_nothing_is_escalated_to_the_unit_itself(
    reminding: Harness, escalating: Escalating, way: str
) -> None:
    """It is reminded on its own day, not on that of the escalation, and once."""
    region = {"names itself": "UD075", "is the successor of its region": "UD033"}.get(way)
    escalating(UD075=region)
    rules, now = reminding.runtime.rules(), MONDAY + timedelta(days=8, hours=5)
    closed = replace(rules.units["UD033"], closes=date(2026, 11, 30), successor="UD075")
    rules = replace(rules, units={**rules.units, "UD033": closed})
    everyone = "UD075" if way == "is for all" else rules.fallback
    waiting = [WaitingDossier(13760, 1, ("UD075",), MONDAY)]

    def due(unit_after: int, other_after: int) -> list[str]:
        terms = ReminderTerms(
            after=unit_after, escalate_after=other_after, escalate_to=everyone, at=time(9)
        )
        return [order.notification.unit for order in due_today(waiting, rules, terms, now)]

    assert due(5, 6) == ["UD075"]
    assert due(9, 6) == []
    region_still_open = replace(rules.units["UD033"], closes=None)
    rules = replace(rules, units={**rules.units, "UD033": region_still_open})
    assert due(5, 6) == (["UD075", "UD033"] if region == "UD033" else ["UD075"])


OFFICES = {"75": "UD075", "93": "UD093", "67": "UD067"}
PLACES = {unit: department for department, unit in OFFICES.items()}
REGIONS = st.sampled_from([None, "UD033", "UD093", "UD035"])


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    regions=st.fixed_dictionaries(dict.fromkeys(PLACES, REGIONS)),
    filed=st.lists(
        st.tuples(st.sampled_from([*OFFICES]), st.integers(0, 3)), min_size=1, max_size=4
    ),
    passes=st.integers(1, 2),
)
def test_each_late_dossier_is_told_once_a_day_to_its_unit_and_to_the_right_other_one(
    reminding: Harness,
    escalating: Escalating,
    regions: dict[str, str | None],
    filed: list[tuple[str, int]],
    passes: int,
) -> None:
    escalating(**{unit: to for unit, to in regions.items() if to != unit})
    first, seen = reminding.now, set(reminding.outbox.glob("*.eml"))
    numbers: dict[int, tuple[str, datetime]] = {}
    wanted: Counter[tuple[date, str, int]] = Counter()
    found: Counter[tuple[date, str, int]] = Counter()
    for passed in range(13):
        # Ten in the morning in Paris: after the hour of every one of these offices.
        reminding.now = first + timedelta(days=passed, hours=2)
        for department, day in filed:
            if day == passed:
                number = reminding.file(permit_department=department)
                numbers[number] = (OFFICES[department], reminding.now)
        for _ in range(passes):
            reminding.run()
        today = reminding.now.date()
        found.update((today, *each) for each in _reminded(reminding, seen) if each[1] in numbers)
        wanted.update(_late(numbers, today, regions))
    for number in numbers:
        reminding.tps.change(number, state="closed")
    reminding.now += timedelta(days=7)
    reminding.run()

    assert found == wanted


def _reminded(harness: Harness, seen: set[Path]) -> Iterator[tuple[str, int]]:
    """Unit and dossier of each line of the reminders that came since the last look."""
    for path in sorted(set(harness.outbox.glob("*.eml")) - seen):
        seen.add(path)
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        if mail["X-WIF-Event"] == "late":
            text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
            yield from ((mail["X-WIF-Unit"], number) for number in listed(text))


def _late(
    numbers: dict[int, tuple[str, datetime]], today: date, regions: dict[str, str | None]
) -> set[tuple[date, str, int]]:
    """Who is to be told of what today: by the holidays of who has it, and of who is told."""
    late = set()
    for number, (unit, filed) in numbers.items():
        days = (filed.date() + timedelta(days=at + 1) for at in range((today - filed.date()).days))
        passed = sum(is_working_day(day, PLACES[unit]) for day in days)
        region = regions[unit]
        other = "NATIONAL" if region in {None, unit} else str(region)
        told = [unit][: passed >= 5] + [other][: passed >= 7]
        late |= {(today, each, number) for each in told if is_working_day(today, PLACES.get(each))}
    return late
