"""Every event and every reason has its French."""

from connectors.wording import EVENTS, REASONS
from routing.assignment import Event
from routing.facts import Reason


def test_every_event_has_its_phrases() -> None:
    assert set(EVENTS) == set(Event)
    assert len({phrases.subject for phrases in EVENTS.values()}) == len(Event)


def test_every_reason_is_one_sentence_of_its_own() -> None:
    assert set(REASONS) == set(Reason)
    assert len(set(REASONS.values())) == len(Reason)
    assert all(text[0].isupper() and text.endswith(".") for text in REASONS.values())
