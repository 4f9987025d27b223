"""Listing: what is new at every tick, everything now and then, in every era of TPS."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.tps.port import ListedDossier, Page, TpsPort
from routing.failures import Cause, Failure
from routing.forms import Form, PermitType, TpsApi
from service.guards.limits import LEASE, WORK_BUDGET
from service.poll import PageFacts, PollOutcome, poll
from service.route import route
from simulator import Seen, Simulator
from store import dossiers, polls, procedures
from store.dossiers import DossierStatus
from store.leases import Lease
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness, make_harness


@pytest.fixture(
    params=[
        {"era": "2018", "fixed_page": 12},
        {"era": "2018"},
        {"era": "2021"},
    ],
    ids=["pages of 12", "unsorted", "sorted"],
)
def any_era(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Harness]:
    """A harness with a TPS of each era."""
    with Simulator(**request.param).serve() as server:
        made = make_harness(database_url, server, tmp_path)
        made.register()
        yield made
        made.runtime.close()


@pytest.fixture
def ready(harness: Harness) -> Harness:
    harness.register()
    return harness


def known(harness: Harness) -> set[int]:
    with harness.runtime.database.read() as connection:
        return {d.number for d in dossiers.listing(connection, procedure=PARIS_FORM)}


def lists_asked(harness: Harness) -> list[Seen]:
    return [seen for seen in harness.tps.requests if seen.path.endswith("/dossiers")]


def test_every_era_of_lists_is_read_to_the_end(any_era: Harness) -> None:
    numbers = any_era.tps.populate([any_era.form()], 130)
    assert poll(any_era.runtime, PARIS_FORM).outcome is PollOutcome.DONE
    assert known(any_era) == set(numbers)


def test_every_era_shows_a_newcomer_at_the_next_tick(any_era: Harness) -> None:
    any_era.tps.populate([any_era.form()], 130)
    poll(any_era.runtime, PARIS_FORM)
    any_era.wait(minutes=1)
    newcomer = any_era.file()
    assert poll(any_era.runtime, PARIS_FORM).new == 1
    assert newcomer in known(any_era)


def test_an_idle_tick_asks_once_however_many_dossiers_are_known(ready: Harness) -> None:
    ready.tps.populate([ready.form()], 450)
    poll(ready.runtime, PARIS_FORM)
    ready.tps.requests.clear()
    ready.wait(minutes=1)
    poll(ready.runtime, PARIS_FORM)
    assert len(ready.tps.requests) == 1


def test_many_newcomers_are_followed_over_several_pages(ready: Harness) -> None:
    ready.file()
    poll(ready.runtime, PARIS_FORM)
    ready.wait(minutes=1)
    numbers = ready.tps.populate([ready.form()], 250, until=ready.now)
    ready.wait(minutes=1)
    assert poll(ready.runtime, PARIS_FORM).new == 250
    assert known(ready) >= set(numbers)


def test_rows_deleted_while_a_scan_walks_hide_no_other_row(
    database_url: str, tmp_path: Path
) -> None:
    with Simulator(fixed_page=12).serve() as server:
        harness = make_harness(database_url, server, tmp_path)
        harness.register()
        numbers = server.simulator.populate([harness.form()], 60)
        doomed = iter(numbers[::7])

        def delete_one(seen: Seen) -> None:
            number = next(doomed, None)
            if number is not None:
                server.simulator.delete(number)

        server.simulator.on_request = delete_one
        poll(harness.runtime, PARIS_FORM)
        left = {truth.number for truth in server.simulator.truths}
        assert known(harness) >= left
        harness.runtime.close()


def test_a_scan_that_runs_out_of_time_goes_on_where_it_stood(ready: Harness) -> None:
    numbers = ready.tps.populate([ready.form()], 40)
    ready.runtime.settings = ready.runtime.settings.model_copy(update={"tps_page_size": 10})
    ready.tps.on_request = lambda _: ready.wait(seconds=WORK_BUDGET.total_seconds() * 0.6)
    outcomes: list[PollOutcome] = []
    while not outcomes or outcomes[-1] is PollOutcome.UNFINISHED:
        outcomes.append(poll(ready.runtime, PARIS_FORM).outcome)
    assert outcomes[-1] is PollOutcome.DONE
    assert len(outcomes) > 1
    assert known(ready) == set(numbers)
    assert len(lists_asked(ready)) < 12


def test_absence_from_lists_alone_proves_nothing(ready: Harness) -> None:
    """A dossier is gone after repeated absence and a 404, not before."""
    ready.file()
    number = ready.file()
    ready.run()
    ready.tps.delete(number)
    for expected in (DossierStatus.ROUTED, DossierStatus.ROUTED, DossierStatus.GONE):
        ready.wait(hours=1)
        ready.run()
        assert ready.dossier(number).status is expected
    assert ready.steps(number)[-1] == "gone"


def test_one_procedure_is_polled_by_one_worker_at_a_time(ready: Harness) -> None:
    ready.file()
    second: list[PollOutcome] = []
    seen_once = iter([None])

    def poll_meanwhile(_: Seen) -> None:
        if next(seen_once, "done") is None:
            second.append(claim_outcome(ready))

    ready.tps.on_request = poll_meanwhile
    assert poll(ready.runtime, PARIS_FORM).outcome is PollOutcome.DONE
    assert second == [PollOutcome.BUSY]


def claim_outcome(harness: Harness) -> PollOutcome:
    other = make_harness(harness.runtime.settings.database, harness.server, harness.outbox.parent)
    try:
        return poll(other.runtime, PARIS_FORM).outcome
    finally:
        other.runtime.close()


def test_whoever_lost_the_lease_writes_nothing_any_more(ready: Harness) -> None:
    ready.tps.populate([ready.form()], 20)

    def be_late(_: Seen) -> None:
        ready.tps.on_request = None
        ready.wait(seconds=LEASE.total_seconds() + 1)
        with ready.runtime.database.begin() as connection:
            polls.claim(connection, PARIS_FORM, Lease(ready.now, LEASE), ready.now)

    ready.tps.on_request = be_late
    assert poll(ready.runtime, PARIS_FORM).outcome is PollOutcome.LOST
    assert known(ready) == set()


def test_an_outage_of_any_length_needs_no_hand(ready: Harness) -> None:
    first = ready.file()
    ready.run()
    ready.tps.fail_all(503)
    for _ in range(12):
        ready.wait(hours=1)
        poll(ready.runtime, PARIS_FORM)
    ready.tps.heal()
    missed = ready.file()
    ready.wait(hours=1)
    ready.run()
    assert ready.told(missed) == [("filed", "UD075")]
    assert ready.told(first) == [("filed", "UD075")]


# --- lists that say something wrong of themselves ---------------------------------------------


@pytest.mark.parametrize("claimed", [2**31, 2**63, 10**9])
def test_a_count_of_pages_beyond_belief_stops_its_own_procedure_alone(
    harness: Harness, claimed: int
) -> None:
    harness.tps.pages_claimed[OTHER_FORM] = lambda _page, _pages: claimed
    harness.file(OTHER_FORM)
    told = harness.file(PARIS_FORM)
    report = harness.run()
    assert report.polls[OTHER_FORM].cause == "tps-malformed"
    assert harness.told(told) == [("filed", "UD075")]


def test_a_list_that_says_it_has_a_million_pages_costs_a_few_requests(ready: Harness) -> None:
    ready.runtime.settings = ready.runtime.settings.model_copy(update={"tps_page_size": 10})
    numbers = ready.tps.populate([ready.form()], 35)
    ready.tps.pages_claimed[PARIS_FORM] = lambda _page, _pages: 10**6
    assert poll(ready.runtime, PARIS_FORM).outcome is PollOutcome.DONE
    assert known(ready) == set(numbers)
    assert len(lists_asked(ready)) < 40
    before = len(lists_asked(ready))
    ready.wait(hours=1)
    assert poll(ready.runtime, PARIS_FORM).outcome is PollOutcome.DONE
    assert len(lists_asked(ready)) - before < 40


def test_a_list_that_always_has_one_page_more_is_stored_all_the_same(ready: Harness) -> None:
    ready.runtime.settings = ready.runtime.settings.model_copy(update={"tps_page_size": 10})
    numbers = ready.tps.populate([ready.form()], 35)
    ready.tps.pages_claimed[PARIS_FORM] = lambda page, _pages: page + 1
    assert poll(ready.runtime, PARIS_FORM).outcome is PollOutcome.DONE
    assert known(ready) == set(numbers)
    assert len(lists_asked(ready)) < 20


def test_what_breaks_in_one_procedure_keeps_a_pass_from_no_other(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = harness.file(PARIS_FORM)
    harness.file(OTHER_FORM)
    everything = harness.runtime.tps.everything

    def broken(form: Form, *rest: Any) -> Page:  # noqa: ANN401
        if form.procedure == OTHER_FORM:
            raise ZeroDivisionError
        return everything(form, *rest)

    monkeypatch.setattr(harness.runtime.tps, "everything", broken)
    report = harness.run()
    assert report.failures == 1
    assert harness.told(told) == [("filed", "UD075")]


# --- facts that come with the page ------------------------------------------------------------


class FactsWithPages:
    """A version of the API whose pages bring facts, over the one that is simulated.

    Attributes:
        failing: numbers whose facts cannot be read with their page.
        deleted: numbers that each page says are deleted.
    """

    def __init__(self, plain: TpsPort) -> None:
        self._plain = plain
        self.failing: set[int] = set()
        self.deleted: tuple[int, ...] = ()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._plain, name)

    def changes(self, form: Form, types: Sequence[PermitType], cursor: str | None) -> Page:
        return self._with_facts(self._plain.changes(form, types, cursor), form, types)

    def everything(self, form: Form, types: Sequence[PermitType], cursor: str | None) -> Page:
        return self._with_facts(self._plain.everything(form, types, cursor), form, types)

    def _with_facts(self, page: Page, form: Form, types: Sequence[PermitType]) -> Page:
        rows = tuple(self._row(row, form, types) for row in page.rows)
        return replace(page, rows=rows, deleted=self.deleted)

    def _row(self, row: ListedDossier, form: Form, types: Sequence[PermitType]) -> ListedDossier:
        if row.number in self.failing:
            return replace(row, failure=Failure(Cause.TPS_MALFORMED))
        return replace(row, facts=self._plain.facts(form, types, row.number, None))


@pytest.fixture
def bringing(ready: Harness) -> FactsWithPages:
    """The version that the harness speaks from now on."""
    made = FactsWithPages(ready.runtime.tps)
    ready.runtime.tps_ports.put(TpsApi.V1, made)
    return made


def test_dossiers_whose_facts_come_with_the_page_are_routed_by_it(
    ready: Harness, bringing: FactsWithPages
) -> None:
    numbers = [ready.file(department="75"), ready.file(department="93")]
    report = poll(ready.runtime, PARIS_FORM)
    assert (report.new, report.settled.routed, report.settled.queued) == (2, 2, 2)
    assert [ready.dossier(number).assignment.units for number in numbers] == [
        ("UD075",),
        ("UD093",),
    ]
    assert ready.waker.woken == {"deliver mail": 1}, "there is nothing left to read"
    assert route(ready.runtime, PARIS_FORM).claimed == 0


def test_facts_that_come_again_tell_nobody_twice(ready: Harness, bringing: FactsWithPages) -> None:
    number = ready.file()
    for _ in range(3):
        ready.run()
        ready.wait(minutes=20)
    assert ready.told(number) == [("filed", "UD075")]


def test_a_dossier_whose_facts_are_broken_is_quarantined_with_its_own_clock(
    ready: Harness, bringing: FactsWithPages
) -> None:
    broken, good = ready.file(), ready.file()
    bringing.failing.add(broken)
    assert poll(ready.runtime, PARIS_FORM).settled.quarantined == 1
    aside = ready.dossier(broken)
    assert (aside.status, aside.reason) == (DossierStatus.QUARANTINED, "tps-malformed")
    assert ready.dossier(good).status is DossierStatus.ROUTED
    ready.wait(hours=1)
    assert route(ready.runtime, PARIS_FORM).routed == 1, "it is asked for by its number"


def test_a_pass_counts_what_pages_brought(ready: Harness, bringing: FactsWithPages) -> None:
    bringing.failing.add(ready.file())
    ready.file()
    report = ready.run()
    assert (report.routing.routed, report.routing.quarantined) == (1, 1)
    assert report.failures == 1


def test_a_paused_procedure_keeps_what_pages_bring_waiting(
    ready: Harness, bringing: FactsWithPages
) -> None:
    number = ready.file()
    with ready.runtime.database.begin() as connection:
        procedures.pause(connection, PARIS_FORM, reason="schema-drift")
    assert poll(ready.runtime, PARIS_FORM).settled == PageFacts()
    assert ready.dossier(number).status is DossierStatus.PENDING


def test_what_settles_no_page_leaves_its_dossiers_to_be_read_one_by_one(
    ready: Harness, bringing: FactsWithPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = ready.file()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("service.poll.settle", broken)
        with pytest.raises(ZeroDivisionError):
            poll(ready.runtime, PARIS_FORM)
    assert ready.dossier(number).status is DossierStatus.PENDING
    assert route(ready.runtime, PARIS_FORM).routed == 1


def test_what_a_page_says_is_deleted_is_asked_for_and_gone(
    ready: Harness, bringing: FactsWithPages
) -> None:
    kept, deleted = ready.file(), ready.file()
    ready.run()
    ready.tps.delete(deleted)
    bringing.deleted = (deleted, kept)
    ready.wait(minutes=1)
    ready.run()
    assert ready.dossier(deleted).status is DossierStatus.GONE
    assert ready.dossier(kept).status is DossierStatus.ROUTED, "a hint is no proof"


def test_a_procedure_that_the_rules_dropped_is_not_polled(ready: Harness) -> None:
    assert poll(ready.runtime, 1).outcome is PollOutcome.BUSY
