"""One failing mailbox, server or procedure does not delay the others, and costs no attempts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from connectors.channels import CHANNELS
from connectors.notice import Message, Notice
from routing.decision import Decision
from routing.facts import Facts
from routing.ruleset import RuleSet
from service.deliver import deliver
from service.guards.breakers import POLICIES, Breakers, Kind
from service.poll import PollOutcome, poll
from service.route import route
from simulator import FaultKind, Server
from store.deliveries import StoredDelivery
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness, make_harness
from tests.fixtures.smtp import SmtpServer
from tests.fixtures.smtp_faults import At, Fault
from tests.fixtures.watched_mail import WatchedMail

BAD = "moe.ud075@direccte.example"
MAILBOX = POLICIES[Kind.ADDRESS]
MAIL_SERVER = POLICIES[Kind.CHANNEL]


@dataclass
class Post:
    """A harness whose deliveries go to an SMTP server."""

    harness: Harness
    smtp: SmtpServer

    def queue(self, count: int, *, good: int = 0) -> None:
        """Queue deliveries to UD075 (the bad mailbox), then `good` ones to another unit."""
        for index in range(count + good):
            self.harness.file(department="75" if index < count else "93")
        self.harness.register()
        poll(self.harness.runtime, PARIS_FORM, full=True)
        while route(self.harness.runtime, PARIS_FORM).more:
            pass

    def work(self) -> None:
        """Deliver for as long as a worker goes on by itself."""
        while deliver(self.harness.runtime).more:
            pass

    def of(self, unit: str) -> list[StoredDelivery]:
        return self.harness.deliveries(unit=unit)

    def attempts(self, unit: str) -> int:
        return sum(each.attempts for each in self.of(unit))

    def sent(self, unit: str) -> int:
        return sum(each.state == "sent" for each in self.of(unit))


@pytest.fixture
def post(database_url: str, tps: Server, smtp: SmtpServer, tmp_path: Path) -> Iterator[Post]:
    harness = make_harness(database_url, tps, tmp_path, smtp_url=smtp.url)
    yield Post(harness, smtp)
    harness.runtime.close()


@pytest.mark.parametrize("reply", ["451 4.2.1 later", "450 4.7.1 slow down", "452 4.2.2 full"])
def test_a_failing_mailbox_does_not_delay_the_others(post: Post, reply: str) -> None:
    post.smtp.play(Fault(at=At.RCPT, reply=reply, recipient=BAD))
    post.queue(60, good=20)
    post.work()
    assert post.sent("UD093") == 20
    assert post.sent("UD075") == 0
    attempts = [each.attempts for each in post.of("UD075")]
    assert sum(attempts) <= MAILBOX.failures
    assert post.smtp.commands[At.RCPT] == 20 + MAILBOX.failures


class NeverOpens(Breakers):
    def failed(self, *_: object) -> bool:
        return False


def test_without_breakers_every_message_to_it_would_be_tried(post: Post) -> None:
    runtime = post.harness.runtime
    runtime.breakers = NeverOpens(runtime.redis_state, runtime.now)
    post.smtp.play(Fault(at=At.RCPT, reply="451 4.2.1 later", recipient=BAD))
    post.queue(30, good=5)
    post.work()
    assert post.attempts("UD075") == 30


def test_a_mailbox_that_hangs_up_on_us_does_not_close_the_server(post: Post) -> None:
    post.smtp.play(Fault(at=At.CONTENT, drop=True, recipient=BAD))
    post.queue(20, good=20)
    post.work()
    assert post.sent("UD093") == 20


def test_a_mailbox_that_rests_is_probed_and_then_gets_everything(post: Post) -> None:
    post.smtp.play(Fault(at=At.RCPT, reply="451 4.2.1 later", recipient=BAD))
    post.queue(30)
    post.work()
    for _ in range(3):
        post.harness.wait(seconds=MAILBOX.rest.total_seconds())
        before = post.smtp.commands[At.RCPT]
        post.work()
        assert post.smtp.commands[At.RCPT] == before + 1
    post.smtp.behave()
    post.harness.wait(seconds=MAILBOX.rest.total_seconds())
    post.work()
    assert post.sent("UD075") == 30


def test_a_server_that_is_down_costs_few_attempts_and_is_probed_by_one_message(
    post: Post,
) -> None:
    post.smtp.stop()
    post.queue(60)
    for _ in range(20):
        post.work()
    assert post.attempts("UD075") == MAIL_SERVER.failures
    post.harness.wait(seconds=MAIL_SERVER.rest.total_seconds())
    for _ in range(5):
        post.work()
    assert post.attempts("UD075") == MAIL_SERVER.failures + 1
    post.smtp.start()
    post.harness.wait(seconds=MAIL_SERVER.rest.total_seconds())
    post.work()
    assert post.sent("UD075") == 60
    assert len(post.smtp.messages) == 60


def test_after_days_without_a_server_nothing_needs_a_person(post: Post) -> None:
    post.smtp.stop()
    post.queue(2)
    for _ in range(200):
        post.work()
        post.harness.wait(hours=2)
    assert {each.state for each in post.of("UD075")} == {"dead"}
    assert {each.reason for each in post.of("UD075")} == {"mail-unreachable"}
    post.smtp.start()
    post.queue(1)
    post.work()
    assert post.sent("UD075") == 3
    assert post.harness.steps().count("replayed") == 2
    assert len({mail.message_id for mail in post.smtp.messages}) == 3


def test_a_refused_recipient_is_dead_and_the_others_are_told(post: Post) -> None:
    post.smtp.play(Fault(at=At.RCPT, reply="550 5.1.1 unknown", recipient=BAD))
    post.queue(60, good=20)
    post.work()
    assert {each.state for each in post.of("UD075")} == {"dead"}
    assert post.sent("UD093") == 20


def test_a_delivery_that_our_code_cannot_make_does_not_keep_the_others(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.queue(10)
    doomed = post.of("UD075")[0].number

    def break_down(message: Message) -> None:
        if isinstance(message, Notice) and message.number == doomed:
            raise ZeroDivisionError

    mail = WatchedMail()
    mail.before_each = break_down
    monkeypatch.setitem(CHANNELS, mail.kind, mail)
    post.work()
    states = {each.number: (each.state, each.reason) for each in post.of("UD075")}
    assert states.pop(doomed) == ("pending", "internal-error")
    assert set(states.values()) == {("sent", None)}


# --- TPS ----------------------------------------------------------------------------------------


def test_a_procedure_whose_details_fail_is_left_alone_and_the_other_is_read(
    harness: Harness,
) -> None:
    bad = [harness.file() for _ in range(40)]
    good = [harness.file(OTHER_FORM) for _ in range(5)]
    for number in bad:
        harness.tps.fail_detail(number, 500)
    harness.register()
    for procedure in (PARIS_FORM, OTHER_FORM) * 4:
        poll(harness.runtime, procedure)
        route(harness.runtime, procedure)
    touched = [harness.dossier(number).attempts for number in bad]
    assert sum(touched) == POLICIES[Kind.PROCEDURE].failures
    assert all(harness.dossier(number).status.value == "routed" for number in good)

    harness.tps.heal()
    harness.wait(seconds=POLICIES[Kind.PROCEDURE].rest.total_seconds())
    harness.run()
    harness.run()
    assert all(harness.dossier(number).status.value == "routed" for number in bad)


def test_poison_dossiers_do_not_stop_their_procedure(harness: Harness) -> None:
    poison = [harness.file() for _ in range(4)]
    for number in poison:
        harness.tps.fail_detail(number, 500)
    harness.run()
    for _ in range(12):
        harness.wait(hours=1)
        fresh = harness.file()
        harness.run()
        assert harness.dossier(fresh).status.value == "routed"
    assert {harness.dossier(number).status.value for number in poison} == {"quarantined"}


def test_poison_dossiers_are_asked_for_more_and_more_rarely(harness: Harness) -> None:
    poison = harness.file()
    harness.tps.fail_detail(poison, 500)
    for _ in range(5 * 24 // 2):
        harness.run()
        harness.wait(hours=2)
    lines = harness.steps(poison)
    assert lines.count("quarantined") <= 10 + 5 * 24 / 12
    assert harness.dossier(poison).status.value == "quarantined"
    harness.tps.requests.clear()
    for _ in range(10):
        harness.run()
        harness.wait(minutes=1)
    assert len([seen for seen in harness.tps.requests if str(poison) in seen.path]) <= 1


def test_tps_that_is_down_is_left_alone_altogether(harness: Harness) -> None:
    harness.register()
    harness.tps.fail_all(503)
    failures = POLICIES[Kind.TPS].failures
    turns = (PARIS_FORM, OTHER_FORM) * 5
    outcomes = [poll(harness.runtime, procedure).outcome for procedure in turns]
    assert outcomes == [PollOutcome.FAILED] * failures + [PollOutcome.RESTING] * (10 - failures)
    served = harness.tps.served
    harness.tps.heal()
    assert poll(harness.runtime, PARIS_FORM).outcome is PollOutcome.RESTING
    assert harness.tps.served == served
    harness.wait(seconds=POLICIES[Kind.TPS].rest.total_seconds())
    assert poll(harness.runtime, PARIS_FORM).outcome is PollOutcome.DONE


def test_a_tps_that_hangs_takes_a_worker_for_one_probe_at_a_time(
    database_url: str, tps: Server, tmp_path: Path
) -> None:
    harness = make_harness(database_url, tps, tmp_path, tps_read_timeout=0.5)
    numbers = [harness.file() for _ in range(30)]
    harness.register()
    poll(harness.runtime, PARIS_FORM, full=True)
    harness.tps.fail_all(FaultKind.HANG)
    route(harness.runtime, PARIS_FORM)
    served = harness.tps.served
    for _ in range(10):
        route(harness.runtime, PARIS_FORM)
    assert harness.tps.served == served
    harness.wait(seconds=POLICIES[Kind.PROCEDURE].rest.total_seconds())
    route(harness.runtime, PARIS_FORM)
    assert harness.tps.served == served + 1
    harness.tps.heal()
    harness.wait(seconds=POLICIES[Kind.PROCEDURE].rest.total_seconds())
    while route(harness.runtime, PARIS_FORM).more:
        pass
    assert {harness.dossier(number).status.value for number in numbers} == {"routed"}
    harness.runtime.close()


def test_an_outage_of_days_needs_nobody_afterwards(harness: Harness) -> None:
    early = [harness.file() for _ in range(3)]
    harness.register()
    poll(harness.runtime, PARIS_FORM, full=True)
    harness.tps.fail_all(503)
    for _ in range(25):
        harness.run()
        harness.wait(hours=4)
    late = [harness.file() for _ in range(3)]
    harness.tps.heal()
    harness.wait(minutes=1)
    harness.run()
    harness.wait(minutes=1)
    harness.run()
    assert {harness.dossier(number).status.value for number in early + late} == {"routed"}


def test_a_dossier_that_cannot_be_decided_fails_alone(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    doomed, *others = [harness.file() for _ in range(5)]
    decide = RuleSet.decide

    def broken(rules: RuleSet, facts: Facts, on: date) -> Decision:
        if facts.number == doomed:
            raise ZeroDivisionError
        return decide(rules, facts, on)

    monkeypatch.setattr(RuleSet, "decide", broken)
    harness.run()
    assert harness.dossier(doomed).reason == "internal-error"
    assert {harness.dossier(number).status.value for number in others} == {"routed"}


def test_waiting_for_the_limit_costs_no_attempt_and_no_connection(
    database_url: str, tps: Server, tmp_path: Path
) -> None:
    harness = make_harness(database_url, tps, tmp_path, tps_requests_per_minute=10)
    harness.runtime.throttle.patience = 0
    numbers = [harness.file() for _ in range(30)]
    harness.register()
    poll(harness.runtime, PARIS_FORM, full=True)
    report = route(harness.runtime, PARIS_FORM)
    assert report.routed == 9
    assert report.given_back == 21
    assert not report.more
    waiting = [harness.dossier(n) for n in numbers if harness.dossier(n).status.value == "pending"]
    assert {each.attempts for each in waiting} == {0}
    harness.runtime.close()
