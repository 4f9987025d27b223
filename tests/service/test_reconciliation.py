"""The full scan heals what lists and ticks missed, and calls nothing gone too soon."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from routing.quarantine import ABSENCES_BEFORE_ASKING
from service.poll import poll
from service.route import route
from simulator import SimulatedDossier, Simulator
from simulator.v1.answers import V1Answers
from store import dossiers
from store.dossiers import DossierStatus
from tests.fixtures.harness import PARIS_FORM, Harness, make_harness

DECIDED = "closed"


@dataclass
class Whims:
    """How the lists of a TPS go wrong.

    Attributes:
        hidden: numbers that no list shows.
        shuffle: gives rows in another order at every look, so that pages repeat and omit some.
    """

    hidden: set[int] = field(default_factory=set)
    shuffle: Random | None = None


class Whimsical(Simulator):
    """A TPS whose lists are not to be relied on; its details are."""

    def __init__(self, *, fixed_page: int) -> None:
        super().__init__()
        self.whims = Whims()
        self.v1 = WhimsicalAnswers(self, fixed_page=fixed_page)


class WhimsicalAnswers(V1Answers):
    """The lists of a whimsical TPS."""

    def __init__(self, tps: Whimsical, *, fixed_page: int) -> None:
        super().__init__(tps.state, tps.v1.style, fixed_page=fixed_page)
        self.whims = tps.whims

    def _page(self, *args: Any) -> Iterable[SimulatedDossier]:  # noqa: ANN401
        rows = [row for row in super()._page(*args) if row.number not in self.whims.hidden]
        if self.whims.shuffle is None:
            return rows
        known, start, size, _ = args
        everything = [known.dossiers[number] for number in sorted(known.dossiers)]
        self.whims.shuffle.shuffle(everything)
        return everything[start : start + size]


@pytest.fixture
def whimsical(database_url: str, tmp_path: Path) -> Iterator[Harness]:
    with Whimsical(fixed_page=10).serve() as server:
        harness = make_harness(database_url, server, tmp_path)
        harness.register()
        yield harness
        harness.runtime.close()


def whims(harness: Harness) -> Whims:
    assert isinstance(harness.tps, Whimsical)
    return harness.tps.whims


def tick(harness: Harness, **duration: float) -> None:
    """Time passes, and one tick of the service as workers would do it."""
    harness.wait(**duration)
    poll(harness.runtime, PARIS_FORM)
    while route(harness.runtime, PARIS_FORM).more:
        pass


def statuses(harness: Harness) -> dict[int, str]:
    with harness.runtime.database.read() as connection:
        found = dossiers.listing(connection, procedure=PARIS_FORM)
    return {each.number: each.status.value for each in found}


def test_a_row_that_a_list_omitted_is_found_by_a_later_scan(whimsical: Harness) -> None:
    whimsical.file()
    tick(whimsical)
    missed = whimsical.file()
    whims(whimsical).hidden.add(missed)
    tick(whimsical, minutes=1)
    for _ in range(15):
        whimsical.wait(seconds=1)
        whimsical.file()
    tick(whimsical, minutes=1)
    assert missed not in statuses(whimsical)
    whims(whimsical).hidden.clear()
    tick(whimsical, minutes=5)
    assert missed not in statuses(whimsical), "the tick alone does not look so far back"
    tick(whimsical, minutes=15)
    assert statuses(whimsical)[missed] == "routed"


def test_pages_that_repeat_and_omit_rows_lose_nothing_and_nothing_is_gone(
    whimsical: Harness,
) -> None:
    numbers = {whimsical.file() for _ in range(45)}
    whims(whimsical).shuffle = Random(3)
    for _ in range(40):
        tick(whimsical, minutes=15)
    assert statuses(whimsical) == dict.fromkeys(numbers, "routed")


def test_what_lists_omit_but_tps_still_has_is_never_gone(whimsical: Harness) -> None:
    whimsical.file()
    hidden = whimsical.file()
    tick(whimsical)
    whims(whimsical).hidden.add(hidden)
    for _ in range(5 * ABSENCES_BEFORE_ASKING):
        tick(whimsical, minutes=15)
        assert statuses(whimsical)[hidden] == "routed"


def test_a_404_alone_is_not_gone_either(whimsical: Harness) -> None:
    number = whimsical.file()
    tick(whimsical)
    whimsical.tps.fail_detail(number, 404)
    whimsical.wait(minutes=1)
    whimsical.tps.change(number, changed_at=whimsical.now)
    for _ in range(5 * ABSENCES_BEFORE_ASKING):
        tick(whimsical, minutes=15)
        assert statuses(whimsical)[number] == "quarantined"
    whimsical.tps.heal()
    tick(whimsical, hours=13)
    assert statuses(whimsical)[number] == "routed"


def test_a_deleted_dossier_is_gone_after_repeated_absence_and_a_404(whimsical: Harness) -> None:
    whimsical.file()
    number = whimsical.file()
    tick(whimsical)
    whimsical.tps.delete(number)
    for _ in range(ABSENCES_BEFORE_ASKING - 1):
        tick(whimsical, minutes=15)
        assert statuses(whimsical)[number] == "routed"
    tick(whimsical, minutes=15)
    assert statuses(whimsical)[number] == "gone"
    assert whimsical.dossier(number).reason == "tps-not-found"


def test_one_deleted_before_it_was_read_is_gone_as_well(whimsical: Harness) -> None:
    whimsical.file()
    number = whimsical.file()
    poll(whimsical.runtime, PARIS_FORM)
    whimsical.tps.delete(number)
    for _ in range(12):
        tick(whimsical, minutes=15)
    assert statuses(whimsical)[number] == "gone"


def test_a_gone_dossier_that_reappears_is_read_and_nobody_is_told_twice(harness: Harness) -> None:
    harness.file()
    number = harness.file()
    harness.run()
    particulars = harness.tps.dossier(number)
    harness.tps.delete(number)
    for _ in range(ABSENCES_BEFORE_ASKING):
        harness.wait(minutes=15)
        harness.run()
    assert harness.dossier(number).status is DossierStatus.GONE
    harness.tps.add(
        harness.form(),
        number=number,
        filed_at=particulars.filed_at,
        contract=particulars.contract,
        nationality=particulars.nationality,
        department=particulars.department,
    )
    harness.wait(minutes=15)
    harness.run()
    assert harness.dossier(number).status is DossierStatus.ROUTED
    assert harness.told(number) == [("filed", "UD075")]


def test_a_state_that_goes_back_is_seen_even_without_a_new_date(harness: Harness) -> None:
    number = harness.file(state="received")
    harness.run()
    changed_at = harness.tps.dossier(number).changed_at
    harness.tps.change(number, state="initiated", changed_at=changed_at)
    harness.wait(minutes=15)
    harness.run()
    facts = harness.dossier(number).facts
    assert facts is not None
    assert facts.state == "initiated"
    assert harness.told(number) == [("filed", "UD075")]


def test_a_decided_dossier_that_is_reopened_elsewhere_is_told(harness: Harness) -> None:
    number = harness.file(state=DECIDED)
    harness.run()
    harness.wait(minutes=15)
    harness.tps.change(number, state="received", department="93", changed_at=harness.now)
    harness.run()
    assert [unit for _, unit in harness.told(number)][-2:] == ["UD093", "UD075"]
    assert harness.dossier(number).assignment.units == ("UD093",)


def test_a_list_that_tells_of_a_change_again_and_again_costs_one_reading(harness: Harness) -> None:
    number = harness.file()
    harness.run()
    harness.tps.change(number, changed_at=harness.now)
    harness.wait(minutes=15)
    harness.run()
    harness.tps.requests.clear()
    for _ in range(3):
        harness.wait(minutes=15)
        harness.run()
    assert not [seen for seen in harness.tps.requests if str(number) in seen.path]


def test_an_interrupted_scan_is_finished_after_an_outage_of_days(whimsical: Harness) -> None:
    numbers = {whimsical.file() for _ in range(35)}
    pages = iter(range(100))

    def fail_after_two(_seen: object) -> None:
        if next(pages) == 2:
            whimsical.tps.fail_all(503)

    whimsical.tps.on_request = fail_after_two
    tick(whimsical)
    whimsical.tps.on_request = None
    for _ in range(5):
        tick(whimsical, hours=12)
    numbers.add(whimsical.file())
    whimsical.tps.heal()
    for _ in range(3):
        tick(whimsical, minutes=15)
    assert statuses(whimsical) == dict.fromkeys(numbers, "routed")
