"""Moving a dossier: look where it is, move it unless a person chose another group, look again.

The mutation is made only where TPS shows the dossier in a group that this service knows: the one
in which it was first seen, one that it was moved to before, or one to which a move was begun of
which nobody knows the end. So a repeated attempt has no second effect, and a person's choice wins.
"""

from collections.abc import Callable
from typing import TypeVar

from connectors.channel import Receipt, RequestLimit, SkipReason
from connectors.deadline import within
from connectors.notice import Placement
from connectors.tps.errors import Operation, RequestContext, failure
from connectors.tps.groups import Group, Placed, named
from connectors.tps.port import TpsWritePort
from routing.failures import Cause, Failure

SECONDS = 60.0
"""For all requests about one dossier."""

Given = TypeVar("Given")


class Mover:
    """Moves dossiers on one TPS server; remembers the groups of each form."""

    def __init__(self, tps: TpsWritePort, limit: RequestLimit) -> None:
        self._tps = tps
        self._limit = limit
        self._groups: dict[int, tuple[Group, ...]] = {}

    def close(self) -> None:
        """Close the kept connections."""
        self._tps.close()

    def try_out(self) -> None:
        """Ask TPS for nothing but an answer.

        Raises:
            TpsFailure: it does not give one, or refuses the token.
        """
        self._ask(self._tps.try_out)

    def move(self, procedure: int, number: int, label: str, placement: Placement) -> Receipt:
        """Have TPS give a dossier to the group of that label, unless a person chose another.

        Raises:
            Failure: it did not, or nobody knows.
        """
        with within(SECONDS):
            groups = self._groups_of(procedure)
            if len(groups) <= 1:
                return Receipt(SkipReason.UNGROUPED)
            group = named(groups, label)
            if group is None:
                raise failure(
                    Cause.TPS_GROUP_MISSING, RequestContext(Operation.MOVE, procedure, number)
                )
            found = self._ask(lambda: self._tps.placed(procedure, number))
            if found.group == group.number:
                return Receipt(group=group.number)
            if found.group not in _ours(groups, placement, found):
                return Receipt(SkipReason.CHOSEN)
            self._change(procedure, number, found, group)
            return Receipt(group=group.number)

    def _change(self, procedure: int, number: int, found: Placed, group: Group) -> None:
        if self._ask(lambda: self._tps.move(procedure, number, found, group)):
            return
        # What TPS refuses may have been done meanwhile: by an attempt of which we heard no end.
        if self._ask(lambda: self._tps.placed(procedure, number)).group != group.number:
            raise failure(
                Cause.TPS_GROUP_REFUSED, RequestContext(Operation.MOVE, procedure, number)
            )

    def _groups_of(self, procedure: int) -> tuple[Group, ...]:
        if procedure not in self._groups:
            self._groups[procedure] = self._ask(lambda: self._tps.groups(procedure))
        return self._groups[procedure]

    def _ask(self, call: Callable[[], Given]) -> Given:
        """One request, within the limit of all."""
        self._limit.take(reading=True)
        try:
            return call()
        except Failure as found:
            self._limit.pause_if_throttled(found)
            raise


def _ours(groups: tuple[Group, ...], placement: Placement, found: Placed) -> set[int]:
    """Numbers of groups in which nobody but TPS itself and this service put the dossier."""
    begun = (named(groups, label) for label in placement.begun)
    # Of a dossier of which no list ever told where it was, this is where it is first seen.
    known = found.group if placement.known is None else placement.known
    return {known, *(group.number for group in begun if group is not None)}
