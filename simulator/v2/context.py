"""What a resolver needs to know besides its source: the server, and the query as a whole."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from graphql import GraphQLError

from simulator.faults import FaultKind, Faults
from simulator.state import State
from simulator.v2.service import V2Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One execution.

    Attributes:
        state: every form and dossier.
        service: the switches of v2.
        faults: of single dossiers are those that fail in a page.
        clock: the present instant.
        fragments: names of the types that the query has fragments on.
        defect: a fault that shapes the answer itself, None for none.
        failing: codes of the errors of dossiers that fail in it; None for one that does not.
    """

    state: State
    service: V2Service
    faults: Faults
    clock: Callable[[], datetime]
    fragments: frozenset[str]
    defect: FaultKind | None = None
    failing: dict[int, str | None] = field(default_factory=dict)

    def error_of(self, number: int) -> str | None:
        """The code of the error that a dossier ends in, None for none. Counts its fault once."""
        if number not in self.failing:
            fault = self.faults.details.get(number)
            self.failing[number] = fault.code if fault is not None and fault.take() else None
        return self.failing[number]

    def instant(self, moment: datetime) -> str:
        """`moment` as the server writes it."""
        return self.service.instant(moment)


def refused(message: str, code: str) -> GraphQLError:
    """An error with a code, as servers have them."""
    return GraphQLError(message, extensions={"code": code})
