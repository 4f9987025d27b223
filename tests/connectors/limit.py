"""A limit of requests to TPS that never holds anything up."""

from dataclasses import dataclass, field

from routing.failures import Failure


@dataclass
class Unlimited:
    """Counts the requests, and remembers what it was told."""

    taken: int = 0
    heeded: list[Failure] = field(default_factory=list)

    def take(self, *, reading: bool = False) -> None:
        self.taken += 1

    def heed(self, failure: Failure) -> None:
        self.heeded.append(failure)


UNLIMITED = Unlimited()
