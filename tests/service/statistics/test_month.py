"""What is published of a month, and that nobody can compute a small figure from it."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from service.statistics.month import UNKNOWN, Figures, MonthCounts, publishable
from service.statistics.suppression import ALL
from service.statistics.working_days import TARGET
from tests.service.statistics.linear_program import Knowledge

PLACES = ("13", "2A", "75")
KINDS = ("apprentissage", "doctorat")
ROOM = 5

Lines = dict[tuple[str, str], Figures]

SIZES = st.sampled_from([0, 0, 0, 1, 2, 4, 5, 6, 9, 30])
FILED = st.dictionaries(
    st.tuples(st.sampled_from(PLACES), st.sampled_from((*KINDS, UNKNOWN))), SIZES
)
DECIDED = st.dictionaries(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(KINDS), st.sampled_from([0, 3, 6, 9])),
    SIZES,
)


def published(filed: dict[tuple[str, str], int], decided: dict[tuple[str, str, int], int]) -> Lines:
    counts = MonthCounts(filed=filed, decided=decided)
    lines = publishable(counts, departments=PLACES, permit_types=KINDS)
    return {(line.department, line.permit_type): line for line in lines}


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


def of_decisions(lines: Lines) -> Knowledge:
    """What the decisions of a month tell: of each place and kind within and above the target."""
    known = Knowledge()
    places, kinds = (*PLACES, UNKNOWN), (*KINDS, UNKNOWN)
    for speed in ("on time", "late"):
        for place in places:
            known.sums((place, ALL, speed), [(place, kind, speed) for kind in kinds])
        for kind in kinds:
            known.sums((ALL, kind, speed), [(place, kind, speed) for place in places])
        known.sums((ALL, ALL, speed), [(place, ALL, speed) for place in places])
    for row in [(place, ALL) for place in (*places, ALL)] + [(ALL, kind) for kind in kinds]:
        known.sums((*row, "any"), [(*row, "on time"), (*row, "late")])
    for (place, kind), line in lines.items():
        if line.decisions is not None:
            known.equal({(place, kind, "any"): 1}, line.decisions)
        if line.late is not None:
            known.equal({(place, kind, "late"): 1}, line.late)
        told_by_quantiles(known, (place, kind, "on time"), line)
    return known


def told_by_quantiles(known: Knowledge, on_time: tuple[str, str, str], line: Figures) -> None:
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
    lines = published(filed, {})
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
def test_no_small_number_of_decisions_can_be_computed(
    decided: dict[tuple[str, str, int], int],
) -> None:
    lines = published({}, decided)
    known = of_decisions(lines).solve()
    truth = Counter[tuple[str, str, str]]()
    for (place, kind, days), count in decided.items():
        for row in ((place, ALL), (ALL, kind), (ALL, ALL)):
            truth[*row, "late" if days > TARGET else "on time"] += count
            truth[*row, "any"] += count
    rows = [(place, ALL) for place in (*PLACES, UNKNOWN, ALL)]
    rows += [(ALL, kind) for kind in (*KINDS, UNKNOWN)]
    for row in rows:
        for speed in ("on time", "late", "any"):
            if truth[*row, speed] < 5:
                lowest, highest = known.interval((*row, speed))
                assert highest - lowest >= ROOM, (lowest, highest, row, speed, lines)
