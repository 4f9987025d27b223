"""Random sequences of faults, deaths and changes, against the same invariants."""

import hypothesis
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.chaos import Chaos

EXAMPLES = 40
STEPS = 25


def test_whatever_happens_in_whatever_order_nothing_is_lost_and_nothing_done_twice() -> None:
    chosen = hypothesis.settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    run_state_machine_as_test(Chaos, settings=chosen)

    assert Chaos.tally["killed"], dict(Chaos.tally)
