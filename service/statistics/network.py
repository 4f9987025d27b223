"""Tables with totals as a flow network: what its hidden cells can be, as seen from outside.

A cell is a link between its row and its column, and that totals are sums means that as much
flows into every node as out of it. A hidden cell can be higher or lower exactly as far as
something can be sent around a circle of hidden cells, so two searches give the interval in
which everybody who knows all the visible cells must look for it.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

UNBOUNDED = 10**9
"""How far a cell can go up where nothing is known that limits it."""

Cell = tuple[str, ...]
Node = tuple[str, ...]


class CannotBeProtected(Exception):
    """A cell can be computed whatever else is hidden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A cell of a table.

    Attributes:
        cell: which.
        tail: the node that it leaves.
        head: the node that it enters.
        down: how much lower it could be, for all that is known.
        up: how much higher.
        cost: how much is lost when it is hidden.
    """

    cell: Cell
    tail: Node
    head: Node
    down: int
    up: int = UNBOUNDED
    cost: int = 1


@dataclass(frozen=True, slots=True)
class _Step:
    """A link as it is passed: forwards makes its cell higher, backwards lower."""

    link: int
    forwards: bool
    to: Node


class Network:
    """Links between nodes. Every link's place in `links` is its number."""

    def __init__(self, links: Sequence[Link]) -> None:
        self.links = links
        self._steps: dict[Node, list[_Step]] = defaultdict(list)
        for number, link in enumerate(links):
            self._steps[link.tail].append(_Step(number, forwards=True, to=link.head))
            self._steps[link.head].append(_Step(number, forwards=False, to=link.tail))

    def room(self, number: int, hidden: Collection[int], *, enough: int) -> int:
        """How many values besides its own a link can have while only `hidden` ones change.

        Args:
            number: of the link.
            hidden: numbers of the links that nobody sees.
            enough: where to stop counting.
        """
        higher = _Flow(self, number, higher=True).fill(enough, hidden)
        if higher >= enough:
            return higher
        return higher + _Flow(self, number, higher=False).fill(enough - higher, hidden)

    def to_hide(self, number: int, hidden: Collection[int], *, enough: int) -> set[int]:
        """What must be hidden besides `hidden` so that a link has `enough` room, at little cost.

        Raises:
            CannotBeProtected: it has not even if everything is hidden.
        """
        more: set[int] = set()
        found = 0
        for higher in (True, False):
            flow = _Flow(self, number, higher=higher)
            found += flow.fill(enough - found, hidden)
            found += flow.extend(enough - found, hidden, more)
            if found >= enough:
                return more
        raise CannotBeProtected

    def steps(self, node: Node) -> Sequence[_Step]:
        """Where one can go from a node."""
        return self._steps[node]


class _Flow:
    """What is sent around circles through one link."""

    def __init__(self, network: Network, number: int, *, higher: bool) -> None:
        self._network = network
        self._number = number
        link = network.links[number]
        self._start, self._end = (link.head, link.tail) if higher else (link.tail, link.head)
        self._limit = link.up if higher else link.down
        self._sent = 0
        self._changes: dict[int, int] = defaultdict(int)

    def fill(self, wanted: int, hidden: Collection[int]) -> int:
        """Send up to `wanted` through hidden links; how much went."""
        return self._send(wanted, lambda: self._shortest(hidden))

    def extend(self, wanted: int, hidden: Collection[int], more: set[int]) -> int:
        """The same through visible links as well, which are added to `more`."""

        def path() -> list[_Step] | None:
            found = self._cheapest(hidden, more)
            more.update(step.link for step in found or () if step.link not in hidden)
            return found

        return self._send(wanted, path)

    def _send(self, wanted: int, path: Callable[[], list[_Step] | None]) -> int:
        wanted = min(wanted, self._limit - self._sent)
        went = 0
        while went < wanted and (steps := path()) is not None:
            amount = min(wanted - went, *map(self._left, steps))
            for step in steps:
                self._changes[step.link] += amount if step.forwards else -amount
            went += amount
        self._sent += went
        return went

    def _left(self, step: _Step) -> int:
        link, change = self._network.links[step.link], self._changes[step.link]
        return link.up - change if step.forwards else link.down + change

    def _open(self, node: Node) -> Iterator[_Step]:
        for step in self._network.steps(node):
            if step.link != self._number and self._left(step) > 0:
                yield step

    def _shortest(self, hidden: Collection[int]) -> list[_Step] | None:
        """A way from start to end through hidden links."""
        came: dict[Node, tuple[Node, _Step] | None] = {self._start: None}
        waiting = deque([self._start])
        while waiting:
            node = waiting.popleft()
            for step in self._open(node):
                if step.link not in hidden or step.to in came:
                    continue
                came[step.to] = node, step
                if step.to == self._end:
                    return _way(came, self._end)
                waiting.append(step.to)
        return None

    def _cheapest(self, hidden: Collection[int], more: Collection[int]) -> list[_Step] | None:
        """The way from start to end on which the least is hidden anew."""
        came: dict[Node, tuple[Node, _Step] | None] = {self._start: None}
        costs: dict[Node, int] = {self._start: 0}
        order = count()
        waiting: list[tuple[int, int, Node]] = [(0, next(order), self._start)]
        done: set[Node] = set()
        while waiting:
            cost, _, node = heappop(waiting)
            if node == self._end:
                return _way(came, self._end)
            if node in done:
                continue
            done.add(node)
            for step in self._open(node):
                free = step.link in hidden or step.link in more
                through = cost + (0 if free else self._network.links[step.link].cost)
                if through < costs.get(step.to, UNBOUNDED**2):
                    costs[step.to] = through
                    came[step.to] = node, step
                    heappush(waiting, (through, next(order), step.to))
        return None


def _way(came: dict[Node, tuple[Node, _Step] | None], end: Node) -> list[_Step]:
    steps: list[_Step] = []
    while (before := came[end]) is not None:
        end, step = before
        steps.append(step)
    return steps
