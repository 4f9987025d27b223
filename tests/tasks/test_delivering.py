"""A batch of deliveries: which message is announced with the end of the one before."""

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.mail.mail import Mail
from connectors.mail.message import compose
from connectors.mail.notice import Notice
from connectors.mail.outbox import OutboxFolder
from routing.failures import Cause, Failure
from tasks.delivering import deliver
from tasks.limits import FINISH_EVERY
from tasks.polling import poll
from tasks.routing import route
from tests.stage import PARIS_FORM, Stage


class Noting(OutboxFolder):
    """The outbox, which notes what it was told would follow."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.sent: list[Mail] = []
        self.announced: list[Mail | None] = []
        self.while_sending: Callable[[], None] = lambda: None

    def send(self, mail: Mail, *, then: Mail | None = None) -> None:
        super().send(mail)
        self.sent.append(mail)
        self.announced.append(then)
        self.while_sending()


@pytest.fixture
def outbox(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Noting:
    made = Noting(stage.outbox)
    monkeypatch.setattr(stage.runtime, "sender", lambda: made)
    return made


def queue(stage: Stage, count: int) -> None:
    stage.runtime.register_procedures(stage.now)
    for _ in range(count):
        stage.file(department="75")
    poll(stage.runtime, PARIS_FORM)
    assert route(stage.runtime, PARIS_FORM).queued == count


def test_each_message_is_announced_but_for_those_that_follow_a_commit(
    stage: Stage, outbox: Noting
) -> None:
    queue(stage, 2 * FINISH_EVERY + 3)

    assert deliver(stage.runtime).sent == 2 * FINISH_EVERY + 3

    expected: list[Mail | None] = [*outbox.sent[1:], None]
    expected[FINISH_EVERY - 1] = expected[2 * FINISH_EVERY - 1] = None
    assert outbox.announced == expected


def test_what_cannot_be_written_is_not_announced_and_keeps_nobody(
    stage: Stage, outbox: Noting, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(stage, 3)
    begun: dict[int, None] = {}

    def partly(notice: Notice, *, sender: str, recipient: str) -> Mail:
        begun.setdefault(notice.number)
        if [notice.number] == [*begun][1:2]:
            raise Failure(Cause.MAIL_RECIPIENT_REFUSED)
        return compose(notice, sender=sender, recipient=recipient)

    monkeypatch.setattr("tasks.delivering.compose", partly)

    report = deliver(stage.runtime)

    assert (report.sent, report.dead) == (2, 1)
    dead = stage.deliveries(number=[*begun][1])
    assert [each.reason for each in dead] == ["mail-recipient-refused"]
    assert outbox.announced == [None, None]


def test_what_was_announced_is_left_when_the_process_is_to_stop(
    stage: Stage, outbox: Noting
) -> None:
    queue(stage, 3)
    told: list[bool] = []
    outbox.while_sending = lambda: told.append(True)
    stage.runtime.stopping = lambda: bool(told)

    report = deliver(stage.runtime)

    assert outbox.announced[0] is not None
    assert (report.sent, report.given_back) == (1, 2)
    assert sorted(each.state for each in stage.deliveries()) == ["pending", "pending", "sent"]
