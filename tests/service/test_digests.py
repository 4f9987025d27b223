"""Digests: one mail with what is new, made once, whoever dies meanwhile."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from routing.ruleset import RuleSet
from routing.units import Digest
from service.deliver import deliver
from service.digests import make_digests
from service.reassign import reassign
from service.sweep import sweep
from tests.stage import OTHER_FORM, Stage

MORNING = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
DIGEST = Digest((time(8, 30), time(14, 0)))


@pytest.fixture
def digesting(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Paris gets digests; it is Monday, 8:00 in Paris."""
    rules = stage.runtime.rules()
    changed = with_digest(rules, "UD075")
    monkeypatch.setattr(type(stage.runtime), "rules", lambda *_, **__: changed)
    stage.now = MORNING
    return stage


def with_digest(rules: RuleSet, unit: str) -> RuleSet:
    """`rules` in which a unit gets digests."""
    units = {**rules.units, unit: replace(rules.units[unit], digest=DIGEST)}
    return replace(rules, units=units)


def states(stage: Stage, **wanted: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    return [(each.event, each.state) for each in stage.deliveries(**wanted)]


def test_what_is_filed_waits_and_comes_in_one_mail(digesting: Stage) -> None:
    stage = digesting
    numbers = [stage.file(), stage.file()]
    stage.run()
    assert stage.mails() == []
    assert {state for _, state in states(stage)} == {"waiting"}

    stage.wait(minutes=31)
    stage.run()

    [mail] = stage.mails()
    assert mail["Subject"].startswith("[WIF] Récapitulatif : 2 dossiers – UD075")
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    for number in numbers:
        assert text.count(f"n° {number} ") == 1
        assert stage.told(number) == [("filed", "UD075")]
        assert stage.steps(number)[-1] == "sent"
    assert ("digest", "sent") in states(stage)


def test_an_empty_digest_is_not_sent(digesting: Stage) -> None:
    digesting.wait(hours=30)
    digesting.run()

    assert digesting.mails() == []


def test_another_unit_is_told_at_once(digesting: Stage) -> None:
    number = digesting.file(OTHER_FORM)
    digesting.run()

    assert len(digesting.mails()) == 1
    assert [event for event, _ in digesting.told(number)] == ["filed"]


def test_what_no_rule_places_is_urgent_and_comes_by_itself(digesting: Stage) -> None:
    digesting.file(permit_department="99 - Étranger", department=None)
    digesting.run()

    assert len(digesting.mails()) == 1


def test_a_dossier_that_leaves_before_the_digest_is_not_in_it(digesting: Stage) -> None:
    stage = digesting
    kept, moved = stage.file(), stage.file()
    stage.run()
    record = stage.dossier(moved)
    reassign(stage.runtime, record.procedure, moved, unit="UD093", reason="moved")
    stage.wait(minutes=31)
    stage.run()

    digest = next(mail for mail in stage.mails() if mail["X-WIF-Unit"] == "UD075")
    text = digest.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert f"n° {kept} " in text
    assert f"n° {moved} " not in text
    assert ("filed", "UD093") in stage.told(moved) or ("reassigned-to", "UD093") in stage.told(
        moved
    )


def test_two_processes_make_one_digest(digesting: Stage) -> None:
    stage = digesting
    stage.file()
    stage.run()
    stage.wait(minutes=31)

    assert make_digests(stage.runtime) == 1
    assert make_digests(stage.runtime) == 0


def test_a_digest_that_was_lost_is_sent_again_under_its_own_id(digesting: Stage) -> None:
    stage = digesting
    number = stage.file()
    stage.run()
    stage.wait(minutes=31)
    sweep(stage.runtime)
    stage.outbox.mkdir(exist_ok=True)
    stage.outbox.chmod(0o500)
    blocked = stage.outbox.with_name("blocked")
    stage.outbox.rename(blocked)
    stage.outbox.write_text("not a folder")
    deliver(stage.runtime)
    assert ("filed", "carried") in states(stage, number=number)

    stage.outbox.unlink()
    stage.wait(hours=1)
    deliver(stage.runtime)

    assert len(stage.mails()) == 1
    assert stage.told(number) == [("filed", "UD075")]


def test_the_next_day_s_digest_holds_only_what_is_new(digesting: Stage) -> None:
    stage = digesting
    first = stage.file()
    stage.run()
    stage.wait(minutes=31)
    stage.run()
    second = stage.file()
    stage.run()
    stage.wait(hours=24)
    stage.run()

    texts = [mail.get_body(("plain",)).get_content() for mail in stage.mails()]  # type: ignore[union-attr]
    assert sorted(sum(f"n° {n} " in text for text in texts) for n in (first, second)) == [1, 1]
    assert stage.now - MORNING == timedelta(days=1, minutes=31)
