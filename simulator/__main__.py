"""`python -m simulator`: the simulated TPS on a port."""

import argparse
import sys

from simulator.simulator import TOKEN
from simulator.standalone import run
from simulator.v1.rendering import Era


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A simulated TPS with invented people, for development. Not for production.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8008, help="0 for any free one")
    parser.add_argument("--count", type=int, default=1000, help="dossiers to generate")
    parser.add_argument("--era", choices=[era.value for era in Era], default=Era.Y2021.value)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--plain", action="store_true", help="no odd and no malformed dossier")
    given = parser.parse_args()
    run(
        given.host,
        given.port,
        count=given.count,
        era=given.era,
        seed=given.seed,
        token=given.token,
        oddities=not given.plain,
        announce=_say,
    )


def _say(url: str) -> None:
    sys.stdout.write(f"TPS simulator (invented people) on {url}, driven at {url}/_simulator/\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
