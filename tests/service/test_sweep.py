"""The sweep wakes workers for what is due."""

from datetime import timedelta

from service import sweep
from tests.stage import OTHER_FORM, PARIS_FORM, Stage


def test_procedures_that_are_new_are_polled_at_the_first_tick(stage: Stage) -> None:
    def ticking() -> object:
        stage.now += timedelta(microseconds=1)
        return stage.now

    stage.runtime.clock = ticking  # type: ignore[assignment]
    assert sweep.wake_due_polls(stage.runtime) == 2
    assert stage.waker.woken == {f"poll {PARIS_FORM}": 1, f"poll {OTHER_FORM}": 1}


def test_dossiers_and_deliveries_that_wait_are_woken_for(stage: Stage) -> None:
    stage.file()
    sweep.sweep(stage.runtime)
    stage.run()
    stage.waker.woken.clear()
    stage.wait(hours=1)
    number = stage.file()
    stage.tps.fail_detail(number, 500)
    stage.run()
    stage.wait(hours=1)
    stage.waker.woken.clear()
    assert sweep.sweep(stage.runtime).procedures == 1
    assert stage.waker.woken[f"route {PARIS_FORM}"] == 1
