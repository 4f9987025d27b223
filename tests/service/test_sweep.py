"""The sweep wakes workers for what is due."""

from datetime import timedelta

from service import sweep
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness


def test_procedures_that_are_new_are_polled_at_the_first_tick(harness: Harness) -> None:
    def ticking() -> object:
        harness.now += timedelta(microseconds=1)
        return harness.now

    harness.runtime.clock = ticking  # type: ignore[assignment]
    assert sweep.wake_due_polls(harness.runtime) == 2
    assert harness.waker.woken == {f"poll {PARIS_FORM}": 1, f"poll {OTHER_FORM}": 1}


def test_dossiers_and_deliveries_that_wait_are_woken_for(harness: Harness) -> None:
    harness.file()
    sweep.sweep(harness.runtime)
    harness.run()
    harness.waker.woken.clear()
    harness.wait(hours=1)
    number = harness.file()
    harness.tps.fail_detail(number, 500)
    harness.run()
    harness.wait(hours=1)
    harness.waker.woken.clear()
    assert sweep.sweep(harness.runtime).procedures == 1
    assert harness.waker.woken[f"route {PARIS_FORM}"] == 1
