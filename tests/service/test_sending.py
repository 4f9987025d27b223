"""Attempts of a batch: in turn or side by side, and what is left when time is up."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Self

import pytest

from connectors.channels import CHANNELS
from connectors.notice import Message, Notice
from routing.assignment import Event
from routing.failures import Cause, Failure
from service.guards.limits import WORK_BUDGET
from service.guards.time_limit import TimeLimitReached
from service.notices import Job
from service.sending import Attempt, Sending, send
from store.delivery_claims import ClaimedDelivery

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass
class Session:
    """A session that does with each message as it is told."""

    act: Callable[[Message], None]
    sent: list[int] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, message: Message, address: str) -> None:
        assert isinstance(message, Notice)
        self.act(message)
        self.sent.append(message.number)


def job(number: int, unit: str = "UD075") -> Job:
    delivery = ClaimedDelivery(
        id=number,
        procedure=1,
        number=number,
        event=Event.FILED,
        unit=unit,
        channel="webhook",
        assignment=1,
        counterpart=None,
        attempts=1,
        created_at=NOW,
        filed_at=NOW,
        permit_type=None,
        department=None,
        rule=None,
        ruleset=None,
        reasons=(),
        unrouted=False,
        pinned_reason=None,
        reason=None,
    )
    notice = Notice(
        event=Event.FILED,
        procedure=1,
        number=number,
        unit=unit,
        unit_name=unit,
        permit_type=None,
        permit_label=None,
        department=None,
        department_name=None,
        filed_at=NOW,
        rule_why=None,
        reasons=(),
        routed=True,
        counterpart=None,
        dossier_url="https://tps.example",
        key=str(number),
    )
    return Job(delivery, notice, f"https://{unit}.example")


def sending(
    act: Callable[[Message], None],
    *,
    channel: str = "webhook",
    clock: Callable[[], datetime] = lambda: NOW,
    stopping: Callable[[], bool] = lambda: False,
    rests: Callable[[str], bool] = lambda _: False,
) -> Sending:
    return Sending(
        channel=CHANNELS[channel],
        session=Session(act),
        clock=clock,
        stopping=stopping,
        rests=rests,
        begun=set(),
    )


def ended(attempts: Iterator[Attempt | None]) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt is not None]


@pytest.mark.parametrize("channel", CHANNELS)
def test_each_delivery_is_attempted_once(channel: str) -> None:
    how = sending(lambda _: None, channel=channel)
    jobs = [job(number, f"UD0{number % 7:02}") for number in range(40)]
    attempts = ended(send(how, jobs))
    assert sorted(each.delivery.id for each in attempts) == list(range(40))
    assert how.begun == set(range(40))
    assert not any(each.failure or each.cut_off for each in attempts)


def test_deliveries_to_one_address_keep_their_order() -> None:
    how = sending(lambda _: None)
    attempts = ended(send(how, [job(number) for number in range(20)]))
    assert [each.delivery.id for each in attempts] == list(range(20))


@pytest.mark.parametrize("channel", CHANNELS)
def test_our_own_mistake_with_one_keeps_nobody(channel: str) -> None:
    def act(message: Message) -> None:
        if isinstance(message, Notice) and message.number == 2:
            raise ZeroDivisionError

    attempts = ended(send(sending(act, channel=channel), [job(number) for number in range(4)]))
    failed = {each.delivery.id: each.failure for each in attempts if each.failure}
    assert {key: each.cause for key, each in failed.items()} == {2: Cause.INTERNAL}
    assert len(attempts) == 4


def test_an_address_that_fails_is_left_and_the_others_go_on() -> None:
    def act(message: Message) -> None:
        if message.unit == "UD075":
            raise Failure(Cause.WEBHOOK_TIMEOUT)

    how = sending(act)
    jobs = [job(number, "UD075" if number < 5 else "UD093") for number in range(10)]
    attempts = ended(send(how, jobs))
    assert sorted(each.delivery.id for each in attempts) == [0, 5, 6, 7, 8, 9]
    assert how.begun == {0, 5, 6, 7, 8, 9}


@pytest.mark.parametrize("channel", CHANNELS)
def test_resting_addresses_are_left_out(channel: str) -> None:
    how = sending(lambda _: None, channel=channel, rests=lambda unit: unit == "UD075")
    attempts = ended(send(how, [job(1), job(2, "UD093")]))
    assert [each.delivery.id for each in attempts] == [2]
    assert how.begun == {2}


@pytest.mark.parametrize("channel", CHANNELS)
def test_nothing_is_begun_when_the_budget_is_used_up(channel: str) -> None:
    times = iter([NOW + n * WORK_BUDGET / 4 for n in range(60)])
    how = sending(lambda _: None, channel=channel, clock=lambda: next(times))
    attempts = ended(send(how, [job(number) for number in range(20)]))
    assert 0 < len(attempts) < 6
    assert how.begun == {each.delivery.id for each in attempts}


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_process_that_is_to_stop_begins_nothing_more(channel: str) -> None:
    told: list[object] = []
    how = sending(told.append, channel=channel, stopping=lambda: len(told) >= 3)
    assert len(ended(send(how, [job(number) for number in range(20)]))) == 3


@contextmanager
def time_limit() -> Iterator[Callable[[], None]]:
    """Gives a call for any thread after which the time of this one, the main thread, is up."""

    def reached(number: int, frame: FrameType | None) -> None:
        raise TimeLimitReached

    before = signal.signal(signal.SIGUSR1, reached)
    try:
        yield lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_when_time_is_up_those_under_way_were_attempts_and_the_rest_was_not_begun() -> None:
    released = threading.Event()
    with time_limit() as end:

        def act(message: Message) -> None:
            if message.unit == "UD075":
                end()
                released.wait(30)

        how = sending(act)
        jobs = [job(1), job(2), *(job(number, "UD093") for number in range(3, 6))]
        try:
            attempts = ended(send(how, jobs))
        finally:
            released.set()
    by_id = {each.delivery.id: each for each in attempts}
    assert by_id[1].cut_off
    assert by_id[1].failure is not None
    assert by_id[1].failure.cause is Cause.WEBHOOK_TIMEOUT
    assert 2 not in by_id
    assert how.begun == set(by_id)


def test_one_that_is_cut_off_in_turn_was_an_attempt_of_unknown_outcome() -> None:
    def act(message: Message) -> None:
        raise TimeLimitReached

    (attempt,) = ended(send(sending(act, channel="mail"), [job(1)]))
    assert attempt.cut_off
    assert attempt.failure is not None
    assert attempt.failure.cause is Cause.MAIL_TIMEOUT


def test_how_long_it_took_is_told() -> None:
    now = [NOW]

    def act(message: Message) -> None:
        now[0] += timedelta(milliseconds=250)

    (attempt,) = ended(send(sending(act, clock=lambda: now[0]), [job(1)]))
    assert attempt.duration_ms == 250
