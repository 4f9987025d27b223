"""Every cause has its action and its meaning, and a failure crosses processes whole."""

import pickle

import pytest

from routing.failures import TABLE, Action, Cause, Failure


def test_every_cause_is_in_the_table() -> None:
    assert set(TABLE) == set(Cause)


@pytest.mark.parametrize("cause", Cause)
def test_a_failure_keeps_its_attributes_when_it_is_pickled(cause: Cause) -> None:
    failure = Failure(cause, retry_after=7.0, status=503)
    copy = pickle.loads(pickle.dumps(failure))  # noqa: S301 - our own
    assert (copy.cause, copy.retry_after, copy.status) == (cause, 7.0, 503)
    assert isinstance(copy.action, Action)


def test_its_text_is_a_code_and_a_status() -> None:
    assert str(Failure(Cause.TPS_UNAVAILABLE, status=503)) == "tps-unavailable (503)"
    assert str(Failure(Cause.TPS_TIMEOUT)) == "tps-timeout"
