"""What is told of a month, and that nobody can compute a small figure from all of it together."""

from collections import Counter
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from service.statistics.month import OUTCOMES, UNKNOWN, Figures, MonthCounts, publishable
from service.statistics.suppression import ALL, Counts
from service.statistics.working_days import TARGET
from tests.service.statistics.linear_program import Knowledge

PLACES = ("13", "2A", "75")
KINDS = ("apprentissage", "doctorat")
ROOM = 5

SPEEDS = ("on time", "late")

Four = tuple[str, str, str, str]
"""Place, kind, speed and outcome; `ALL` for a sum."""

Lines = dict[tuple[str, str], Figures]

SIZES = st.sampled_from([0, 0, 0, 1, 2, 4, 5, 6, 9, 30])
FILED = st.dictionaries(
    st.tuples(st.sampled_from(PLACES), st.sampled_from((*KINDS, UNKNOWN))), SIZES
)
Decided = dict[tuple[str, str, int, str], int]
"""Decisions by département, permit type, working days and outcome."""

DECIDED = st.dictionaries(
    st.tuples(
        st.sampled_from(PLACES),
        st.sampled_from(KINDS),
        st.sampled_from([0, 3, 6, 9]),
        st.sampled_from(OUTCOMES),
    ),
    SIZES,
)


def told(filed: dict[tuple[str, str], int], decided: Decided) -> tuple[Lines, Counts]:
    """What is public, and what the national office gets beside it."""
    days, outcomes = Counter[tuple[str, str, int]](), Counter[tuple[str, str]]()
    for (place, kind, taken, outcome), count in decided.items():
        days[place, kind, taken] += count
        outcomes[outcome, kind] += count
    counts = MonthCounts(filed=filed, decided=days, outcomes=outcomes)
    shown = publishable(counts, departments=PLACES, permit_types=KINDS)
    return {(line.department, line.permit_type): line for line in shown.figures}, shown.outcomes


def of_requests(lines: Lines) -> Knowledge:
    """What the requests of a month tell."""
    known = Knowledge()
    places, kinds = (*PLACES, UNKNOWN), (*KINDS, UNKNOWN)
    for place in (*places, ALL):
        known.sums((place, ALL), [(place, kind) for kind in kinds])
    for kind in (*kinds, ALL):
        known.sums((ALL, kind), [(place, kind) for place in places])
    for cell, line in lines.items():
        if line.requests is not None:
            known.equal({cell: 1}, line.requests)
    return known


def of_decisions(lines: Lines, outcomes: Counts) -> Knowledge:
    """What the decisions of a month tell whoever has the public page and the national report.

    Each cell of the full crossing of place, kind, speed and outcome is a count that nobody sees.
    """
    known = Knowledge()
    cells = [*product((*PLACES, UNKNOWN), (*KINDS, UNKNOWN), SPEEDS, OUTCOMES)]
    for margin in {margin for cell in cells for margin in margins(cell)}:
        known.sums(margin, [cell for cell in cells if margin in margins(cell)])
    for (place, kind), line in lines.items():
        if line.decisions is not None:
            known.equal({(place, kind, ALL, ALL): 1}, line.decisions)
        if line.late is not None:
            known.equal({(place, kind, "late", ALL): 1}, line.late)
        told_by_quantiles(known, (place, kind, "on time", ALL), line)
    for (outcome, kind), count in outcomes.items():
        known.equal({(ALL, kind, ALL, outcome): 1}, count)
    return known


def margins(cell: Four) -> list[Four]:
    """The sums that are told, or hidden, in which a cell of the crossing is."""
    place, kind, speed, outcome = cell
    rows = ((place, ALL), (ALL, kind), (ALL, ALL))
    speeds = [(*row, each, ALL) for row in rows for each in (speed, ALL)]
    return [*speeds, *((ALL, each, ALL, outcome) for each in (kind, ALL))]


def told_by_quantiles(known: Knowledge, on_time: Four, line: Figures) -> None:
    for value, part in ((line.median, 50), (line.p90, 90)):
        if value is None or line.decisions is None:
            continue
        rank = -(-line.decisions * part // 100)
        if value <= TARGET:
            known.at_least({on_time: 1}, rank)
        else:
            known.at_most({on_time: 1}, rank - 1)


@settings(max_examples=25)
@given(filed=FILED)
def test_no_small_number_of_requests_can_be_computed(filed: dict[tuple[str, str], int]) -> None:
    lines, _ = told(filed, {})
    known = of_requests(lines).solve()
    truth = Counter[tuple[str, str]]()
    for (place, kind), count in filed.items():
        for cell in ((place, kind), (place, ALL), (ALL, kind), (ALL, ALL)):
            truth[cell] += count
    for place in (*PLACES, UNKNOWN, ALL):
        for kind in (*KINDS, UNKNOWN, ALL):
            if truth[place, kind] < 5:
                lowest, highest = known.interval((place, kind))
                assert highest - lowest >= ROOM, (place, kind, lines)


@settings(max_examples=15)
@given(decided=DECIDED)
def test_no_small_number_of_decisions_can_be_computed(decided: Decided) -> None:
    lines, outcomes = told({}, decided)
    known = of_decisions(lines, outcomes).solve()
    truth = Counter[Four]()
    for (place, kind, days, outcome), count in decided.items():
        for margin in margins((place, kind, "late" if days > TARGET else "on time", outcome)):
            truth[margin] += count
    cells = product((*PLACES, UNKNOWN), (*KINDS, UNKNOWN), SPEEDS, OUTCOMES)
    for margin in {margin for cell in cells for margin in margins(cell)}:
        if truth[margin] < 5:
            lowest, highest = known.interval(margin)
            assert highest - lowest >= ROOM, (lowest, highest, margin, lines, outcomes)
