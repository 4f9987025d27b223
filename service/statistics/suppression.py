"""Which cells of a table are not published, so that none below five can be computed.

What is small is hidden, and of the rest what somebody could subtract it from. The promise, kept
for every hidden cell that is small: whoever knows all that is published finds at least six
values that it can have, five or more among them, so that nobody can tell that it is small.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from service.statistics.durations import Bounds
from service.statistics.network import (
    UNBOUNDED,
    CannotBeProtected,
    Cell,
    Link,
    Network,
    Node,
)

FLOOR = 5
"""Counts below this are not published, zero included."""

ROOM = 5
"""How many values besides its own a small hidden cell must be able to have."""

ALL = "*"
"""Stands for all départements, or all permit types."""

Counts = Mapping[tuple[str, str], int]
"""Counts by département and permit type; either can be `ALL`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Decisions of one row: all of them, and how many took longer than the target.

    Attributes:
        total: all.
        late: those above the target.
        told: what published quantiles tell of the others.
    """

    total: int
    late: int
    told: Bounds

    @property
    def on_time(self) -> int:
        """Those within the target."""
        return self.total - self.late


@dataclass(frozen=True, slots=True)
class Shown:
    """What is published of rows of decisions.

    Attributes:
        totals: rows whose number of decisions is.
        late: rows whose number above the target is as well.
        quantiles: rows whose median and 90th percentile may be.
    """

    totals: frozenset[str]
    late: frozenset[str]
    quantiles: frozenset[str]


def shown_requests(inner: Counts) -> Counts:
    """Of counts by département and permit type, those that are published, totals included."""
    counts = with_totals(inner)
    if counts.get((ALL, ALL), 0) < FLOOR:
        return {}
    # What is zero everywhere is alike: if one of several could be more, so could each.
    links = [_request(cell, counts[cell]) for cell in _without_repeated_zeros(counts)]
    hidden = hide(links, {cell for cell, count in counts.items() if count < FLOOR})
    return {cell: count for cell, count in counts.items() if cell not in hidden}


def tells_late(whole: Split) -> bool:
    """Whether anything is published of how many decisions were late, given their total."""
    return min(whole.late, whole.on_time) >= FLOOR


def shown_decisions(rows: Mapping[str, Split], whole: Split) -> Shown:
    """Which rows of a list of decisions are published, beside their total, which is.

    Args:
        rows: by what they are called.
        whole: their total, `FLOOR` or more.
    """
    if not tells_late(whole):
        # Then all quantiles are on the same side of the target, and each leaves five or more.
        totals = _shown_totals(rows)
        return Shown(totals, frozenset(), totals)
    try:
        totals, late = _shown_split(rows)
    except CannotBeProtected:
        untold = {row: replace(split, told=Bounds(0, split.total)) for row, split in rows.items()}
        return Shown(*_shown_split(untold), frozenset())
    return Shown(totals, late, totals)


def _shown_totals(rows: Mapping[str, Split]) -> frozenset[str]:
    links = [
        _link((row,), _SOURCE, _SINK, rows[row].total, cost=rows[row].total)
        for row in _without_more_zeros(rows)
    ]
    hidden = hide(links, {(row,) for row, split in rows.items() if split.total < FLOOR})
    return frozenset(row for row in rows if (row,) not in hidden)


def _shown_split(rows: Mapping[str, Split]) -> tuple[frozenset[str], frozenset[str]]:
    """The rows whose total is shown, and those whose late decisions are as well."""
    links = [link for row in _without_more_zeros(rows) for link in _split(row, rows[row])]
    small = {cell for cell, count in _all_cells(rows).items() if count < FLOOR}
    hidden = hide(links, small)
    totals = frozenset(row for row in rows if ("total", row) not in hidden)
    late = {row for row in totals if hidden.isdisjoint({("late", row), ("on-time", row)})}
    return totals, frozenset(late)


def shown_outcomes(inner: Counts, rows: Mapping[str, Split], shown: Shown, whole: Split) -> Counts:
    """Of decisions by outcome and row, those that are told beside the rows that are public.

    What is public is not hidden any more: it is left out of the network, where nothing of it can
    change. In the worst case nothing is told but the totals that are public, and they protect
    themselves.

    Args:
        inner: decisions by outcome and row.
        rows: the same decisions by row and whether they were on time.
        shown: what is public of the rows.
        whole: their total, `FLOOR` or more.
    """
    counts = with_totals(inner)
    public = {(ALL, row) for row in shown.totals} | {(ALL, ALL)}
    told = [_outcome(cell, count) for cell, count in counts.items() if cell[0] != ALL]
    unseen = [link for row in rows for link in _unseen(row, rows[row], shown, whole)]
    every = [*counts.items(), *_all_cells(rows).items()]
    small: set[Cell] = {cell for cell, count in every if count < FLOOR}
    hidden = hide([*told, *unseen], small, unseen=[link.cell for link in unseen])
    return {
        cell: count
        for cell, count in counts.items()
        if cell in public or (cell[0] != ALL and cell not in hidden)
    }


def hide(
    links: Sequence[Link], small: Collection[Cell], unseen: Collection[Cell] = ()
) -> frozenset[Cell]:
    """The small cells, and whatever must be hidden with them.

    Args:
        links: the table. Cells without a link are hidden if they are small, and nothing else.
        small: the cells that nobody may compute.
        unseen: cells that are hidden already.

    Raises:
        CannotBeProtected: one of them can be computed whatever is hidden.
    """
    network = Network(links)
    protected = [number for number, link in enumerate(links) if link.cell in small]
    hidden = {number for number, link in enumerate(links) if link.cell in unseen} | {*protected}
    # Room only grows with what is hidden: what was protected once stays so.
    for number in protected:
        if network.room(number, hidden, enough=ROOM) < ROOM:
            hidden |= network.to_hide(number, hidden, enough=ROOM)
    return frozenset(small) | {links[number].cell for number in hidden}


def with_totals(inner: Counts) -> dict[tuple[str, str], int]:
    """Counts with those of each row, each column and the whole."""
    counts = dict(inner)
    for (row, column), count in inner.items():
        for total in ((row, ALL), (ALL, column), (ALL, ALL)):
            counts[total] = counts.get(total, 0) + count
    return counts


def _without_repeated_zeros(counts: Counts) -> Iterator[tuple[str, str]]:
    """The cells without those of all but one empty row and all but one empty column."""
    rows = dict.fromkeys(row for row, _ in counts)
    columns = dict.fromkeys(column for _, column in counts)
    empty_rows = [row for row in rows if not counts[row, ALL]]
    empty_columns = [column for column in columns if not counts[ALL, column]]
    left_out = {*empty_rows[1:]}, {*empty_columns[1:]}
    for row, column in counts:
        if row not in left_out[0] and column not in left_out[1]:
            yield row, column


def _without_more_zeros(rows: Mapping[str, Split]) -> Iterator[str]:
    empty = [row for row, split in rows.items() if not split.total]
    return (row for row in rows if row not in empty[1:])


_SOURCE: Node = ("source",)
_SINK: Node = ("sink",)
_ON_TIME: Node = ("on time",)
_LATE: Node = ("late",)

_DEPARTMENT_COST = 200
_TYPE_COST = 5_000
_WHOLE_COST = 1_000_000
"""A total is worth more than a cell, and that of a permit type more than that of a département."""


def _request(cell: tuple[str, str], count: int) -> Link:
    row, column = cell
    in_row, in_column = ("row", row), ("column", column)
    # Along columns into rows, along row totals out of them: the same number everywhere.
    forwards = (row == ALL) is (column == ALL)
    tail, head = (in_column, in_row) if forwards else (in_row, in_column)
    if (row, column) == (ALL, ALL):
        cost = _WHOLE_COST
    elif row == ALL:
        cost = _TYPE_COST
    else:
        cost = _DEPARTMENT_COST if column == ALL else 1
    return _link(cell, tail, head, count, cost=cost + count)


def _outcome(cell: tuple[str, str], count: int) -> Link:
    """A cell of a row, or the total of an outcome."""
    outcome, row = cell
    node = ("outcome", outcome)
    if row == ALL:
        return _link(cell, node, _SINK, count, cost=_DEPARTMENT_COST + count)
    return _link(cell, ("decided", row), node, count, cost=1 + count)


def _unseen(row: str, split: Split, shown: Shown, whole: Split) -> Iterator[Link]:
    """What is not public of a row."""
    told = split.told if row in shown.quantiles else Bounds(0, split.total)
    *speeds, total = _split(row, replace(split, told=told))
    if not tells_late(whole):
        # Nothing is public of how fast decisions were: the rows have their total in common alone.
        total = replace(total, tail=_SOURCE)
    elif row not in shown.late:
        yield from speeds
    if row not in shown.totals:
        yield replace(total, head=("decided", row))


def _split(row: str, split: Split) -> Iterator[Link]:
    node = ("row", row)
    least, most = split.told.least, split.told.most
    yield Link(
        cell=("on-time", row),
        tail=_ON_TIME,
        head=node,
        down=split.on_time - least,
        up=UNBOUNDED if most == split.total else most - split.on_time,
        cost=1,
    )
    yield Link(
        cell=("late", row),
        tail=_LATE,
        head=node,
        down=split.late - (split.total - most),
        up=UNBOUNDED if least == 0 else split.total - least - split.late,
        cost=1,
    )
    yield _link(("total", row), node, _SINK, split.total, cost=_DEPARTMENT_COST + split.total)


def _all_cells(rows: Mapping[str, Split]) -> dict[Cell, int]:
    return {
        cell: count
        for row, split in rows.items()
        for cell, count in (
            (("on-time", row), split.on_time),
            (("late", row), split.late),
            (("total", row), split.total),
        )
    }


def _link(cell: Cell, tail: Node, head: Node, count: int, *, cost: int) -> Link:
    return Link(cell=cell, tail=tail, head=head, down=count, cost=cost)
