"""A batch of deliveries: what cannot be sent keeps nobody, and a stop leaves the rest."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from connectors.mail.eml_folder import EmlFolder
from connectors.mail.envelope import Envelope
from connectors.mail.message import compose
from connectors.notice import Notice
from routing.failures import Cause, Failure
from service.deliver import deliver
from service.guards.breakers import POLICIES, BreakerState, Kind, way
from service.guards.time_limit import TimeLimitReached
from service.poll import poll
from service.route import route
from tests.fixtures.harness import PARIS_FORM, Harness


class WatchedFolder(EmlFolder):
    """The outbox, and a call after each message."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.after_each: Callable[[], None] = lambda: None

    def send(self, envelope: Envelope) -> None:
        super().send(envelope)
        self.after_each()


@pytest.fixture
def outbox(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> WatchedFolder:
    made = WatchedFolder(harness.outbox)
    monkeypatch.setattr("connectors.mail.channel.open_sender", lambda _: made)
    return made


def queue(harness: Harness, count: int) -> None:
    harness.register()
    for _ in range(count):
        harness.file(department="75")
    poll(harness.runtime, PARIS_FORM)
    assert route(harness.runtime, PARIS_FORM).queued == count


def test_what_cannot_be_written_keeps_nobody(
    harness: Harness, outbox: WatchedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(harness, 3)
    begun: list[int] = []

    def partly(notice: Notice, *, sender: str, recipient: str, at: datetime) -> Envelope:
        begun.append(notice.number)
        if begun[1:2] == [notice.number]:
            raise Failure(Cause.MAIL_RECIPIENT_REFUSED)
        return compose(notice, sender=sender, recipient=recipient, at=at)

    monkeypatch.setattr("connectors.mail.message.compose", partly)

    report = deliver(harness.runtime)

    assert (report.sent, report.dead) == (2, 1)
    dead = harness.deliveries(number=begun[1])
    assert [each.reason for each in dead] == ["mail-recipient-refused"]


def test_a_process_that_is_to_stop_gives_the_rest_back(
    harness: Harness, outbox: WatchedFolder
) -> None:
    queue(harness, 3)
    told: list[bool] = []
    outbox.after_each = lambda: told.append(True)
    harness.runtime.stopping = lambda: bool(told)

    report = deliver(harness.runtime)

    assert (report.sent, report.given_back) == (1, 2)
    assert sorted(each.state for each in harness.deliveries()) == ["pending", "pending", "sent"]


def test_a_time_limit_counts_against_the_breaker(
    harness: Harness, outbox: WatchedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = POLICIES[Kind.CHANNEL].failures
    queue(harness, most + 1)
    asked: list[Envelope] = []

    def hang(_self: EmlFolder, envelope: Envelope) -> None:
        asked.append(envelope)
        raise TimeLimitReached

    with monkeypatch.context() as patch:
        patch.setattr(WatchedFolder, "send", hang)
        for _ in range(most + 3):
            deliver(harness.runtime, channels=["mail"])
    assert len(asked) == most
    assert harness.runtime.breakers.state(way("mail")) is BreakerState.OPEN
