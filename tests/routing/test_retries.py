"""When something is tried again."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from routing.retries import LONGEST_DELAY, MAX_ATTEMPTS, delay

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
