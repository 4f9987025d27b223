"""`python -m tests.faults.soak --minutes 10`: random faults for as long as asked, in figures."""

import argparse
import secrets
import sys
import time

import hypothesis
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.chaos import Chaos

ROUND = 10
"""Sequences between two looks at the time."""

STEPS = 40


def main() -> int:
    """Run until time is up, or until a sequence breaks a promise; 1 then, with its steps."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, help="of the first round, to repeat a run")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else secrets.randbelow(2**32)
    chosen = hypothesis.settings(
        max_examples=ROUND,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    until = time.monotonic() + given.minutes * 60
    while time.monotonic() < until:
        print(f"seed {seed}", file=sys.stderr, flush=True)
        try:
            run_state_machine_as_test(hypothesis.seed(seed)(Chaos), settings=chosen)
        except Exception as broken:  # noqa: BLE001 - whatever it is, the steps are its notes
            print(f"broken at seed {seed}: {broken!r}")
            print("\n".join(getattr(broken, "__notes__", ())))
            _tell()
            return 1
        seed += 1
    _tell()
    return 0


def _tell() -> None:
    for what, count in sorted(Chaos.tally.items()):
        print(f"{count:9,}  {what}")


if __name__ == "__main__":
    sys.exit(main())
