"""Rules that choose how units are told: for information, by digest or at once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.units import Notify
from service.reassign import reassign, unpin
from service.reroute import reroute_open
from tests.fixtures import shipped_rules
from tests.fixtures.harness import PARIS_FORM, Harness

MORNING = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
DIGEST = {"at": ["08:30"], "days": "working"}

Publish = Callable[..., None]


@pytest.fixture
def publish(harness: Harness) -> Publish:
    """Puts the shipped rules in force with changes to every rule and to Paris."""
    harness.now = MORNING

    def change(digest: dict[str, Any] | None = None, **changes: Any) -> None:  # noqa: ANN401
        def edit(content: dict[str, Any]) -> None:
            if digest is not None:
                shipped_rules.unit_of(content, "UD075")["digest"] = digest
            for rule in content["rules"]:
                rule.update(changes)

        shipped_rules.publish_edited(harness.runtime, edit)

    return change


def queued(harness: Harness, number: int) -> list[tuple[str, str]]:
    return [(each.event, each.unit) for each in harness.deliveries(number=number)]


def test_a_unit_that_a_rule_informs_is_told_who_has_the_dossier(
    harness: Harness, publish: Publish
) -> None:
    publish(inform=["UD093"])
    number = harness.file()
    harness.run()

    assert sorted(harness.told(number)) == [("filed", "UD075"), ("informed", "UD093")]
    mail = next(mail for mail in harness.mails() if mail["X-WIF-Event"] == "informed")
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert mail["Subject"].startswith(f"[WIF] Pour information n° {number}")
    assert "Service compétent : UD075" in text
    assert "Aucune action n’est attendue" in text
    assert mail["X-WIF-Unit"] == "UD093"
    assert harness.steps(number).count("queued") == harness.steps(number).count("sent") == 2


def test_it_is_told_once_whatever_becomes_of_the_dossier(
    harness: Harness, publish: Publish
) -> None:
    publish(inform=["UD093"])
    number = harness.file()
    harness.run()
    reassign(harness.runtime, PARIS_FORM, number, unit="UD092", reason="moved")
    unpin(harness.runtime, PARIS_FORM, number)
    publish(inform=["UD093"], why="Nouvelle raison.")
    reroute_open(harness.runtime)
    harness.run()

    assert [unit for event, unit in queued(harness, number) if event == "informed"] == ["UD093"]


def test_one_that_gets_the_dossier_unread_is_told_of_that_alone(
    harness: Harness, publish: Publish
) -> None:
    publish(inform=["UD093"])
    number = harness.file()
    harness.outbox.parent.mkdir(exist_ok=True)
    harness.outbox.write_text("no folder")
    harness.run()
    reassign(harness.runtime, PARIS_FORM, number, unit="UD093", reason="moved")

    states = {(each.event, each.unit): each.state for each in harness.deliveries(number=number)}
    assert states == {
        ("filed", "UD075"): "cancelled",
        ("informed", "UD093"): "cancelled",
        ("filed", "UD093"): "pending",
    }


def test_an_edited_rule_informs_of_dossiers_to_come_not_of_those_that_stay(
    harness: Harness, publish: Publish
) -> None:
    publish()
    number = harness.file()
    harness.run()
    publish(inform=["UD093"])
    reroute_open(harness.runtime)

    assert queued(harness, number) == [("filed", "UD075")]


def test_a_dossier_of_which_another_rule_decides_now_informs_whom_that_one_names(
    harness: Harness, publish: Publish
) -> None:
    publish()
    number = harness.file()
    harness.run()
    publish(inform=["UD093"])
    harness.wait(hours=1)
    harness.tps.change(number, permit_type="doctorat")
    harness.wait(hours=1)
    harness.run()

    assert ("informed", "UD093") in harness.told(number)


def test_a_rule_tells_at_once_a_unit_that_has_a_digest(harness: Harness, publish: Publish) -> None:
    publish(DIGEST, notify=Notify.INSTANT)
    number = harness.file()
    harness.run()

    assert harness.told(number) == [("filed", "UD075")]


def test_a_digest_on_request_carries_what_a_rule_puts_there(
    harness: Harness, publish: Publish
) -> None:
    on_request = {**DIGEST, "on_request": True}
    publish(on_request)
    at_once = harness.file()
    harness.run()
    publish(on_request, notify=Notify.DIGEST)
    waiting = harness.file()
    harness.run()

    assert harness.told(at_once) == [("filed", "UD075")]
    assert harness.told(waiting) == []
    harness.wait(minutes=31)
    harness.run()
    assert harness.told(waiting) == [("filed", "UD075")]


def test_an_informed_unit_reads_of_it_in_its_digest_even_of_what_no_rule_places(
    harness: Harness, publish: Publish
) -> None:
    publish(DIGEST, inform=["UD075"])
    numbers = [
        harness.file(permit_department="93 - Seine-Saint-Denis"),
        harness.file(permit_department="99 - Étranger", department=None),
    ]
    harness.run()
    assert [mail["X-WIF-Unit"] for mail in harness.mails()].count("UD075") == 0

    harness.wait(minutes=31)
    harness.run()

    (digest,) = [mail for mail in harness.mails() if mail["X-WIF-Unit"] == "UD075"]
    text = digest.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    for number in numbers:
        assert f"n° {number} – Pour information" in text


UNITS = st.sampled_from(["UD075", "UD092", "UD093", "UD094"])


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=st.lists(st.tuples(UNITS, st.booleans()), max_size=4))
def test_whatever_moves_each_unit_is_informed_once(
    harness: Harness, publish: Publish, moves: list[tuple[str, bool]]
) -> None:
    publish(DIGEST, inform=["UD093", "UD075"])
    number = harness.file(permit_department="92 - Hauts-de-Seine")
    harness.run()
    for unit, waits in moves:
        reassign(harness.runtime, PARIS_FORM, number, unit=unit, reason="moved")
        if waits:
            harness.wait(hours=24)
            harness.run()
    harness.wait(hours=72)
    harness.run()

    steps, rows = harness.steps(number), harness.deliveries(number=number)
    informed = [each.unit for each in rows if (each.event, each.state) == ("informed", "sent")]
    assert len(informed) == len(set(informed))
    assert steps.count("queued") == len(rows)
    assert steps.count("sent") == sum(each.state == "sent" for each in rows)
    told = {each.unit for each in rows if each.state == "sent"}
    assert {"UD093", "UD075"} <= told | {unit for unit, _ in moves[-1:]}, rows
