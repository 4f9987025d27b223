"""A batch of deliveries: what cannot be sent keeps nobody, and a stop leaves the rest."""

import pytest

from connectors.channels import CHANNELS
from connectors.notice import Message, Notice
from routing.failures import Cause, Failure
from service.deliver import deliver
from service.guards.breakers import POLICIES, BreakerState, Kind, way
from service.guards.time_limit import TimeLimitReached
from service.poll import poll
from service.route import route
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.watched_mail import WatchedMail


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> WatchedMail:
    made = WatchedMail()
    monkeypatch.setitem(CHANNELS, made.kind, made)
    return made


def queue(harness: Harness, count: int) -> None:
    harness.register()
    for _ in range(count):
        harness.file(department="75")
    poll(harness.runtime, PARIS_FORM)
    assert route(harness.runtime, PARIS_FORM).queued == count


def test_what_cannot_be_written_keeps_nobody(harness: Harness, mail: WatchedMail) -> None:
    queue(harness, 3)
    begun: list[int] = []

    def refuse_the_second(message: Message) -> None:
        assert isinstance(message, Notice)
        begun.append(message.number)
        if len(begun) == 2:
            raise Failure(Cause.MAIL_RECIPIENT_REFUSED)

    mail.before_each = refuse_the_second

    report = deliver(harness.runtime)

    assert (report.sent, report.dead) == (2, 1)
    dead = harness.deliveries(number=begun[1])
    assert [each.reason for each in dead] == ["mail-recipient-refused"]


def test_a_process_that_is_to_stop_gives_the_rest_back(harness: Harness, mail: WatchedMail) -> None:
    queue(harness, 3)
    told: list[bool] = []
    mail.after_each = lambda: told.append(True)
    harness.runtime.stopping = lambda: bool(told)

    report = deliver(harness.runtime)

    assert (report.sent, report.given_back) == (1, 2)
    assert sorted(each.state for each in harness.deliveries()) == ["pending", "pending", "sent"]


def test_a_time_limit_counts_against_the_breaker(harness: Harness, mail: WatchedMail) -> None:
    most = POLICIES[Kind.CHANNEL].failures
    queue(harness, most + 1)
    asked: list[Message] = []

    def hang(message: Message) -> None:
        asked.append(message)
        raise TimeLimitReached

    mail.before_each = hang
    for _ in range(most + 3):
        deliver(harness.runtime, channels=["mail"])
    assert len(asked) == most
    assert harness.runtime.breakers.state(way("mail")) is BreakerState.OPEN
