"""Digests: one mail with what is new, made once, whoever dies meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.channels import CHANNELS
from connectors.webhook.channel import WebhookChannel
from service.deliver import deliver
from service.digests import make_digests
from service.poll import poll
from service.reassign import reassign
from service.route import route
from service.sweep import sweep
from tests.fixtures import shipped_rules
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness

MORNING = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
DIGEST = {"at": ["08:30", "14:00"], "days": "working"}


@pytest.fixture
def digesting(harness: Harness) -> Harness:
    """Paris gets digests; it is Monday, 8:00 in Paris."""
    give_digests(harness, "UD075")
    harness.now = MORNING
    return harness


def give_digests(harness: Harness, *units: str) -> None:
    """Publish rules in which these units get digests."""

    def edit(content: dict[str, Any]) -> None:
        for unit in units:
            shipped_rules.unit_of(content, unit)["digest"] = DIGEST

    shipped_rules.publish_edited(harness.runtime, edit)


def states(harness: Harness, **wanted: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    return [(each.event, each.state) for each in harness.deliveries(**wanted)]


def test_what_is_filed_waits_and_comes_in_one_mail(digesting: Harness) -> None:
    harness = digesting
    numbers = [harness.file(), harness.file()]
    harness.run()
    assert harness.mails() == []
    assert {state for _, state in states(harness)} == {"waiting"}

    harness.wait(minutes=31)
    harness.run()

    [mail] = harness.mails()
    assert mail["Subject"].startswith("[WIF] Récapitulatif : 2 dossiers – UD075")
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    for number in numbers:
        assert text.count(f"n° {number} ") == 1
        assert harness.told(number) == [("filed", "UD075")]
        assert harness.steps(number)[-1] == "sent"
    assert ("digest", "sent") in states(harness)


def test_an_empty_digest_is_not_sent(digesting: Harness) -> None:
    digesting.wait(hours=30)
    digesting.run()

    assert digesting.mails() == []


def test_another_unit_is_told_at_once(digesting: Harness) -> None:
    number = digesting.file(OTHER_FORM)
    digesting.run()

    assert len(digesting.mails()) == 1
    assert [event for event, _ in digesting.told(number)] == ["filed"]


@pytest.mark.parametrize(("carries_many", "state"), [(False, "pending"), (True, "waiting")])
def test_a_channel_says_itself_whether_it_carries_digests(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, *, carries_many: bool, state: str
) -> None:
    class Webhooks(WebhookChannel):
        pass

    Webhooks.carries_many = carries_many
    monkeypatch.setitem(CHANNELS, WebhookChannel.kind, Webhooks())

    def edit(content: dict[str, Any]) -> None:
        unit = shipped_rules.unit_of(content, "UD075")
        # Rules are compiled once for each document.
        unit["channels"].append({"webhook": f"https://unit.example/{state}"})
        unit["digest"] = DIGEST

    shipped_rules.publish_edited(harness.runtime, edit)
    harness.now = MORNING
    number = harness.file()
    harness.register()
    poll(harness.runtime, PARIS_FORM)
    route(harness.runtime, PARIS_FORM)

    found = {each.channel: each.state for each in harness.deliveries(number=number)}
    assert found == {"mail": "waiting", "webhook": state}


def test_what_no_rule_places_is_urgent_and_comes_by_itself(digesting: Harness) -> None:
    digesting.file(permit_department="99 - Étranger", department=None)
    digesting.run()

    assert len(digesting.mails()) == 1


def test_a_dossier_that_leaves_before_the_digest_is_not_in_it(digesting: Harness) -> None:
    harness = digesting
    kept, moved = harness.file(), harness.file()
    harness.run()
    record = harness.dossier(moved)
    reassign(harness.runtime, record.procedure, moved, unit="UD093", reason="moved")
    harness.wait(minutes=31)
    harness.run()

    digest = next(mail for mail in harness.mails() if mail["X-WIF-Unit"] == "UD075")
    text = digest.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert f"n° {kept} " in text
    assert f"n° {moved} " not in text
    assert ("filed", "UD093") in harness.told(moved) or ("reassigned-to", "UD093") in harness.told(
        moved
    )


def test_a_reassignment_is_in_the_digests_of_both_offices(digesting: Harness) -> None:
    harness = digesting
    give_digests(harness, "UD075", "UD093")
    number = harness.file()
    harness.run()
    harness.wait(hours=1)
    harness.run()
    record = harness.dossier(number)
    reassign(harness.runtime, record.procedure, number, unit="UD093", reason="moved")
    harness.run()
    assert [mail["X-WIF-Unit"] for mail in harness.mails()] == ["UD075"]

    harness.wait(hours=6)
    harness.run()

    digests: dict[str, list[str]] = {}
    for mail in harness.mails():
        text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        digests.setdefault(mail["X-WIF-Unit"], []).append(text)
    assert len(digests["UD075"]) == 2
    assert sum(f"n° {number} – Dossier retiré" in text for text in digests["UD075"]) == 1
    assert f"n° {number} – Dossier réaffecté" in digests["UD093"][0]


def test_two_processes_make_one_digest(digesting: Harness) -> None:
    harness = digesting
    harness.file()
    harness.run()
    harness.wait(minutes=31)

    assert make_digests(harness.runtime) == 1
    assert make_digests(harness.runtime) == 0


def test_a_digest_that_was_lost_is_sent_again_under_its_own_id(digesting: Harness) -> None:
    harness = digesting
    number = harness.file()
    harness.run()
    harness.wait(minutes=31)
    sweep(harness.runtime)
    harness.outbox.mkdir(exist_ok=True)
    harness.outbox.chmod(0o500)
    blocked = harness.outbox.with_name("blocked")
    harness.outbox.rename(blocked)
    harness.outbox.write_text("not a folder")
    deliver(harness.runtime)
    assert ("filed", "carried") in states(harness, number=number)

    harness.outbox.unlink()
    harness.wait(hours=1)
    deliver(harness.runtime)

    assert len(harness.mails()) == 1
    assert harness.told(number) == [("filed", "UD075")]


def test_the_next_day_s_digest_holds_only_what_is_new(digesting: Harness) -> None:
    harness = digesting
    first = harness.file()
    harness.run()
    harness.wait(minutes=31)
    harness.run()
    second = harness.file()
    harness.run()
    harness.wait(hours=24)
    harness.run()

    texts = [mail.get_body(("plain",)).get_content() for mail in harness.mails()]  # type: ignore[union-attr]
    assert sorted(sum(f"n° {n} " in text for text in texts) for n in (first, second)) == [1, 1]
    assert harness.now - MORNING == timedelta(days=1, minutes=31)
