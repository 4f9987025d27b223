"""One failing mailbox, server or procedure does not delay the others, and costs no attempts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from connectors.mail import message
from routing.decision import Decision
from routing.facts import Facts
from routing.ruleset import RuleSet
from service.deliver import deliver
from service.guards.breakers import POLICIES, Kind
from service.poll import PollOutcome, poll
from service.route import route
from simulator import FaultKind, Server
from store.deliveries import StoredDelivery
from tests.fixtures_smtp import At, Fault, SmtpServer
from tests.stage import OTHER_FORM, PARIS_FORM, Stage, make_stage

BAD = "moe.ud075@direccte.example"
MAILBOX = POLICIES[Kind.ADDRESS]
MAIL_SERVER = POLICIES[Kind.CHANNEL]


@dataclass
class Post:
    """A stage whose deliveries go to an SMTP server."""

    stage: Stage
    smtp: SmtpServer

    def queue(self, count: int, *, good: int = 0) -> None:
        """Queue deliveries to UD075 (the bad mailbox), then `good` ones to another unit."""
        for index in range(count + good):
            self.stage.file(department="75" if index < count else "93")
        self.stage.register()
        poll(self.stage.runtime, PARIS_FORM, full=True)
        while route(self.stage.runtime, PARIS_FORM).more:
            pass

    def work(self) -> None:
        """Deliver for as long as a worker goes on by itself."""
        while deliver(self.stage.runtime).more:
            pass

    def of(self, unit: str) -> list[StoredDelivery]:
        return self.stage.deliveries(unit=unit)

    def attempts(self, unit: str) -> int:
        return sum(each.attempts for each in self.of(unit))

    def sent(self, unit: str) -> int:
        return sum(each.state == "sent" for each in self.of(unit))


@pytest.fixture
def post(database_url: str, tps: Server, smtp: SmtpServer, tmp_path: Path) -> Iterator[Post]:
    stage = make_stage(database_url, tps, tmp_path, smtp_url=smtp.url)
    yield Post(stage, smtp)
    stage.runtime.close()


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


def test_without_breakers_every_message_to_it_would_be_tried(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.guards.breakers.Breakers.failed", lambda *_: False)
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
        post.stage.wait(seconds=MAILBOX.rest.total_seconds())
        before = post.smtp.commands[At.RCPT]
        post.work()
        assert post.smtp.commands[At.RCPT] == before + 1
    post.smtp.behave()
    post.stage.wait(seconds=MAILBOX.rest.total_seconds())
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
    post.stage.wait(seconds=MAIL_SERVER.rest.total_seconds())
    for _ in range(5):
        post.work()
    assert post.attempts("UD075") == MAIL_SERVER.failures + 1
    post.smtp.start()
    post.stage.wait(seconds=MAIL_SERVER.rest.total_seconds())
    post.work()
    assert post.sent("UD075") == 60
    assert len(post.smtp.messages) == 60


def test_after_days_without_a_server_nothing_needs_a_person(post: Post) -> None:
    post.smtp.stop()
    post.queue(2)
    for _ in range(200):
        post.work()
        post.stage.wait(hours=2)
    assert {each.state for each in post.of("UD075")} == {"dead"}
    assert {each.reason for each in post.of("UD075")} == {"mail-unreachable"}
    post.smtp.start()
    post.queue(1)
    post.work()
    assert post.sent("UD075") == 3
    assert post.stage.steps().count("replayed") == 2
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

    compose = message.compose

    def broken(notice, **options):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN003, ANN202
        if notice.number == doomed:
            raise ZeroDivisionError
        return compose(notice, **options)

    monkeypatch.setattr(message, "compose", broken)
    post.work()
    states = {each.number: (each.state, each.reason) for each in post.of("UD075")}
    assert states.pop(doomed) == ("pending", "internal-error")
    assert set(states.values()) == {("sent", None)}


# --- TPS ----------------------------------------------------------------------------------------


def test_a_procedure_whose_details_fail_is_left_alone_and_the_other_is_read(stage: Stage) -> None:
    bad = [stage.file() for _ in range(40)]
    good = [stage.file(OTHER_FORM) for _ in range(5)]
    for number in bad:
        stage.tps.fail_detail(number, 500)
    stage.register()
    for procedure in (PARIS_FORM, OTHER_FORM) * 4:
        poll(stage.runtime, procedure)
        route(stage.runtime, procedure)
    touched = [stage.dossier(number).attempts for number in bad]
    assert sum(touched) == POLICIES[Kind.PROCEDURE].failures
    assert all(stage.dossier(number).status.value == "routed" for number in good)

    stage.tps.heal()
    stage.wait(seconds=POLICIES[Kind.PROCEDURE].rest.total_seconds())
    stage.run()
    stage.run()
    assert all(stage.dossier(number).status.value == "routed" for number in bad)


def test_poison_dossiers_do_not_stop_their_procedure(stage: Stage) -> None:
    poison = [stage.file() for _ in range(4)]
    for number in poison:
        stage.tps.fail_detail(number, 500)
    stage.run()
    for _ in range(12):
        stage.wait(hours=1)
        fresh = stage.file()
        stage.run()
        assert stage.dossier(fresh).status.value == "routed"
    assert {stage.dossier(number).status.value for number in poison} == {"quarantined"}


def test_poison_dossiers_are_asked_for_more_and_more_rarely(stage: Stage) -> None:
    poison = stage.file()
    stage.tps.fail_detail(poison, 500)
    for _ in range(5 * 24 // 2):
        stage.run()
        stage.wait(hours=2)
    lines = stage.steps(poison)
    assert lines.count("quarantined") <= 10 + 5 * 24 / 12
    assert stage.dossier(poison).status.value == "quarantined"
    stage.tps.requests.clear()
    for _ in range(10):
        stage.run()
        stage.wait(minutes=1)
    assert len([seen for seen in stage.tps.requests if str(poison) in seen.path]) <= 1


def test_tps_that_is_down_is_left_alone_altogether(stage: Stage) -> None:
    stage.register()
    stage.tps.fail_all(503)
    failures = POLICIES[Kind.TPS].failures
    turns = (PARIS_FORM, OTHER_FORM) * 5
    outcomes = [poll(stage.runtime, procedure).outcome for procedure in turns]
    assert outcomes == [PollOutcome.FAILED] * failures + [PollOutcome.RESTING] * (10 - failures)
    served = stage.tps.served
    stage.tps.heal()
    assert poll(stage.runtime, PARIS_FORM).outcome is PollOutcome.RESTING
    assert stage.tps.served == served
    stage.wait(seconds=POLICIES[Kind.TPS].rest.total_seconds())
    assert poll(stage.runtime, PARIS_FORM).outcome is PollOutcome.DONE


def test_a_tps_that_hangs_takes_a_worker_for_one_probe_at_a_time(
    database_url: str, tps: Server, tmp_path: Path
) -> None:
    stage = make_stage(database_url, tps, tmp_path, tps_read_timeout=0.5)
    numbers = [stage.file() for _ in range(30)]
    stage.register()
    poll(stage.runtime, PARIS_FORM, full=True)
    stage.tps.fail_all(FaultKind.HANG)
    route(stage.runtime, PARIS_FORM)
    served = stage.tps.served
    for _ in range(10):
        route(stage.runtime, PARIS_FORM)
    assert stage.tps.served == served
    stage.wait(seconds=POLICIES[Kind.PROCEDURE].rest.total_seconds())
    route(stage.runtime, PARIS_FORM)
    assert stage.tps.served == served + 1
    stage.tps.heal()
    stage.wait(seconds=POLICIES[Kind.PROCEDURE].rest.total_seconds())
    while route(stage.runtime, PARIS_FORM).more:
        pass
    assert {stage.dossier(number).status.value for number in numbers} == {"routed"}
    stage.runtime.close()


def test_an_outage_of_days_needs_nobody_afterwards(stage: Stage) -> None:
    early = [stage.file() for _ in range(3)]
    stage.register()
    poll(stage.runtime, PARIS_FORM, full=True)
    stage.tps.fail_all(503)
    for _ in range(100):
        stage.run()
        stage.wait(hours=1)
    late = [stage.file() for _ in range(3)]
    stage.tps.heal()
    stage.wait(minutes=1)
    stage.run()
    stage.wait(minutes=1)
    stage.run()
    assert {stage.dossier(number).status.value for number in early + late} == {"routed"}


def test_a_dossier_that_cannot_be_decided_fails_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    doomed, *others = [stage.file() for _ in range(5)]
    decide = RuleSet.decide

    def broken(rules: RuleSet, facts: Facts, on: date) -> Decision:
        if facts.number == doomed:
            raise ZeroDivisionError
        return decide(rules, facts, on)

    monkeypatch.setattr(RuleSet, "decide", broken)
    stage.run()
    assert stage.dossier(doomed).reason == "internal-error"
    assert {stage.dossier(number).status.value for number in others} == {"routed"}


def test_waiting_for_the_limit_costs_no_attempt_and_no_connection(
    database_url: str, tps: Server, tmp_path: Path
) -> None:
    stage = make_stage(database_url, tps, tmp_path, tps_requests_per_minute=10)
    stage.runtime.throttle.patience = 0
    numbers = [stage.file() for _ in range(30)]
    stage.register()
    poll(stage.runtime, PARIS_FORM, full=True)
    report = route(stage.runtime, PARIS_FORM)
    assert report.routed == 9
    assert report.given_back == 21
    assert not report.more
    waiting = [stage.dossier(n) for n in numbers if stage.dossier(n).status.value == "pending"]
    assert {each.attempts for each in waiting} == {0}
    stage.runtime.close()
