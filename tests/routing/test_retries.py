"""When something is tried again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from routing.failures import Cause, Failure
from routing.retries import (
    LONGEST_DELAY,
    MAX_ATTEMPTS,
    THROTTLED_DELAY,
    NextTry,
    after_failure,
    delay,
)

jitters = st.floats(min_value=0, max_value=1, exclude_max=True)


@given(jitters)
def test_the_first_retry_comes_within_a_minute(jitter: float) -> None:
    assert delay(1, lambda: jitter) < timedelta(minutes=1)


@given(st.lists(jitters, min_size=MAX_ATTEMPTS, max_size=MAX_ATTEMPTS))
def test_a_delivery_is_tried_for_48_hours_at_least(drawn: list[float]) -> None:
    waits = [delay(n, lambda n=n: drawn[n]) for n in range(1, MAX_ATTEMPTS)]  # type: ignore[misc]
    assert sum(waits, timedelta()) >= timedelta(hours=48)


@given(st.integers(min_value=1, max_value=10_000), jitters)
def test_delays_grow_to_a_limit_and_never_beyond_it(attempts: int, jitter: float) -> None:
    plain = delay(attempts, lambda: 0.0)
    assert plain <= delay(attempts + 1, lambda: 0.0) <= LONGEST_DELAY
    assert plain <= delay(attempts, lambda: jitter) <= plain * 1.3


def test_two_that_fail_together_do_not_come_back_together() -> None:
    assert delay(5, lambda: 0.1) != delay(5, lambda: 0.9)


NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def after(failure: Failure, attempts: int) -> NextTry:
    return after_failure(failure, attempts=attempts, now=NOW, jitter=lambda: 0.0)


def test_a_failure_is_tried_again_until_its_attempts_are_used_up() -> None:
    failure = Failure(Cause.MAIL_TEMPORARY)
    assert after(failure, 3) == NextTry(3, NOW + delay(3, lambda: 0.0))
    assert after(failure, MAX_ATTEMPTS) == NextTry(MAX_ATTEMPTS, None)


def test_what_is_final_is_dead_at_once() -> None:
    assert after(Failure(Cause.MAIL_RECIPIENT_REFUSED, status=550), 1) == NextTry(1, None)


def test_waiting_because_a_peer_asks_for_it_costs_no_attempt() -> None:
    for attempts in (1, MAX_ATTEMPTS):
        slow_down = after(Failure(Cause.MAIL_THROTTLED), attempts)
        assert slow_down == NextTry(attempts - 1, NOW + THROTTLED_DELAY)
    long = after(Failure(Cause.WEBHOOK_THROTTLED, retry_after=3600), 1)
    assert long == NextTry(0, NOW + timedelta(hours=1))


def test_a_peer_that_says_when_is_not_asked_before() -> None:
    later = after(Failure(Cause.WEBHOOK_UNAVAILABLE, retry_after=7200), 1)
    assert later == NextTry(1, NOW + timedelta(hours=2))
