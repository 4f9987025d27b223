"""Retention: what ended long ago is removed, nothing else is, and nobody is told again."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from routing.facts import DossierState
from service.poll import poll
from service.purge import purge
from simulator import Simulator
from simulator.v1.answers import V1Answers
from store import dossiers
from store.base import Base
from store.deliveries import DeliveryState
from store.dossiers import DossierStatus
from store.models import AuditLine, Delivery, Dossier, Procedure
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness, make_harness

DAYS = 730
DECIDED = (DossierState.CLOSED, DossierState.REFUSED, DossierState.WITHOUT_CONTINUATION)


def numbers(harness: Harness) -> set[int]:
    """The dossiers that are stored."""
    with harness.runtime.database.read() as connection:
        return {dossier.number for dossier in dossiers.listing(connection)}


def decide(harness: Harness, number: int, state: DossierState = DossierState.CLOSED) -> None:
    """Let the office decide a dossier in a minute, and let us learn of it."""
    harness.wait(minutes=1)
    harness.tps.change(number, state=state, changed_at=harness.now)
    harness.run()


def sent(harness: Harness) -> int:
    return len(harness.mails())


@pytest.fixture
def old(harness: Harness) -> dict[str, int]:
    """One dossier decided longer ago than the retention, one decided later, one open."""
    filed = {name: harness.file() for name in ("old", "young", "open")}
    harness.run()
    harness.wait(days=10)
    decide(harness, filed["old"])
    harness.wait(days=1)
    decide(harness, filed["young"])
    harness.wait(days=DAYS - 1, seconds=1)
    return filed


def test_what_was_decided_longer_ago_is_removed_with_its_deliveries(
    harness: Harness, old: dict[str, int]
) -> None:
    report = purge(harness.runtime)
    assert (report.dossiers, report.deliveries, report.complete) == (1, 1, True)
    assert numbers(harness) == {old["young"], old["open"]}
    assert {delivery.number for delivery in harness.deliveries()} == {old["young"], old["open"]}


def test_a_dry_run_only_counts(harness: Harness, old: dict[str, int]) -> None:
    report = purge(harness.runtime, dry_run=True)
    assert (report.dossiers, report.deliveries) == (1, 1)
    assert numbers(harness) == set(old.values())
    assert "purged" not in harness.steps()


def test_each_removal_is_the_last_line_of_its_trace(harness: Harness, old: dict[str, int]) -> None:
    purge(harness.runtime)
    refs = harness.runtime.audit.refs(PARIS_FORM, old["old"])
    life = select(AuditLine.step).where(AuditLine.dossier_ref.in_(refs)).order_by(AuditLine.id)
    with harness.runtime.database.read() as connection:
        assert list(connection.execute(life).scalars())[-1] == "purged"


@pytest.mark.parametrize("state", DECIDED)
def test_a_purged_dossier_that_tps_still_lists_stays_purged_and_is_not_told_again(
    harness: Harness, state: DossierState
) -> None:
    number = harness.file()
    harness.run()
    decide(harness, number, state)
    harness.wait(days=DAYS, seconds=1)
    before = sent(harness)
    assert purge(harness.runtime).dossiers == 1
    for _ in range(3):
        harness.wait(hours=1)
        report = harness.run()
        assert report.polls[PARIS_FORM].new == 0
        assert poll(harness.runtime, PARIS_FORM).new == 0
    harness.tps.change(number, changed_at=harness.now)
    harness.wait(hours=1)
    harness.run()
    assert numbers(harness) == set()
    assert sent(harness) == before


def test_a_longer_retention_afterwards_brings_nothing_back(harness: Harness) -> None:
    number = harness.file()
    harness.run()
    decide(harness, number)
    harness.wait(days=DAYS, seconds=1)
    purge(harness.runtime)
    harness.runtime.settings = harness.runtime.settings.model_copy(
        update={"retention_days": 9 * DAYS}
    )
    harness.run()
    assert numbers(harness) == set()


def test_dossiers_that_were_never_purged_are_still_taken_in(harness: Harness) -> None:
    """The history of a form that is new to us, and what was filed after the purged ones."""
    number = harness.file()
    harness.run()
    decide(harness, number)
    harness.wait(days=DAYS, seconds=1)
    purge(harness.runtime)
    late = harness.file(state="closed")
    history = harness.file(
        OTHER_FORM, filed_at=harness.now - timedelta(days=DAYS + 9), state="closed"
    )
    harness.run()
    assert numbers(harness) == {late, history}
    assert harness.told(late) == [("filed", "UD075")]


def test_a_purged_dossier_that_is_reopened_is_new_again(harness: Harness) -> None:
    number = harness.file()
    harness.run()
    decide(harness, number)
    harness.wait(days=DAYS, seconds=1)
    purge(harness.runtime)
    harness.tps.change(number, state="received", changed_at=harness.now)
    harness.run()
    assert harness.told(number) == [("filed", "UD075")]


def test_a_server_without_states_in_its_lists_tells_nothing_again_either(
    database_url: str, tmp_path: Path
) -> None:
    with Simulator(era="2018").serve() as server:
        harness = make_harness(database_url, server, tmp_path)
        number = harness.file()
        harness.run()
        decide(harness, number)
        harness.wait(days=DAYS, seconds=1)
        purge(harness.runtime)
        harness.run()
        assert numbers(harness) == set()
        harness.runtime.close()


class Undated(Simulator):
    """A TPS whose lists give no date of deposit."""

    def __init__(self) -> None:
        super().__init__()
        self.v1 = UndatedAnswers(self.state, self.v1.style, fixed_page=None)


class UndatedAnswers(V1Answers):
    """The lists of such a TPS."""

    def listing(self, procedure: int, query: Mapping[str, str]) -> bytes | None:
        page = super().listing(procedure, query)
        return page and page.replace(b'"initiated_at":"2', b'"initiated_at":"x')


def test_where_lists_give_no_date_it_is_taken_in_but_nobody_is_told(
    database_url: str, tmp_path: Path
) -> None:
    with Undated().serve() as server:
        harness = make_harness(database_url, server, tmp_path)
        number = harness.file()
        harness.run()
        decide(harness, number)
        harness.wait(days=DAYS, seconds=1)
        before = sent(harness)
        purge(harness.runtime)
        harness.run()
        assert numbers(harness) == {number}
        assert harness.deliveries() == []
        assert sent(harness) == before
        harness.runtime.close()


def test_what_tps_deleted_is_removed_as_well(harness: Harness) -> None:
    number, kept = harness.file(), harness.file()
    harness.run()
    harness.tps.delete(number)
    for _ in range(3):
        harness.wait(hours=1)
        harness.run()
    assert harness.dossier(number).status is DossierStatus.GONE
    harness.wait(days=DAYS - 1)
    assert purge(harness.runtime).dossiers == 0
    harness.wait(days=1, seconds=1)
    assert purge(harness.runtime).dossiers == 1
    assert numbers(harness) == {kept}


def test_messages_to_a_decided_dossier_do_not_keep_it(harness: Harness) -> None:
    number = harness.file()
    harness.run()
    decide(harness, number)
    harness.wait(days=DAYS - 10)
    harness.tps.change(number, changed_at=harness.now)
    harness.run()
    harness.wait(days=10, seconds=1)
    assert purge(harness.runtime).dossiers == 1


def test_a_dossier_that_was_reopened_counts_from_its_last_decision(harness: Harness) -> None:
    number = harness.file()
    harness.run()
    decide(harness, number)
    harness.wait(days=100)
    decide(harness, number, DossierState.RECEIVED)
    harness.wait(days=DAYS)
    assert purge(harness.runtime).dossiers == 0
    decide(harness, number)
    harness.wait(days=DAYS - 1)
    assert purge(harness.runtime).dossiers == 0
    harness.wait(days=1, seconds=1)
    assert purge(harness.runtime).dossiers == 1


def test_what_is_open_quarantined_at_work_or_unsent_stays(harness: Harness) -> None:
    open_, quarantined, at_work, unsent = (harness.file() for _ in range(4))
    harness.run()
    for number in (quarantined, at_work, unsent):
        decide(harness, number)
    harness.wait(minutes=1)
    harness.tps.fail_detail(quarantined, 500)
    harness.tps.change(quarantined, changed_at=harness.now)
    harness.run()
    with harness.runtime.database.begin() as connection:
        connection.execute(
            update(Dossier)
            .where(Dossier.number == at_work)
            .values(lease_token="x", next_attempt_at=harness.now)
        )
        connection.execute(
            update(Delivery)
            .where(Delivery.number == unsent)
            .values(state=DeliveryState.PENDING.value, next_attempt_at=harness.now)
        )
    harness.wait(days=DAYS * 2)
    assert purge(harness.runtime).dossiers == 0
    assert numbers(harness) == {open_, quarantined, at_work, unsent}


def test_dossiers_of_a_form_that_is_configured_no_more_do_not_stay_for_ever(
    harness: Harness,
) -> None:
    unknown = 99_999
    with harness.runtime.database.begin() as connection:
        connection.execute(
            insert(Procedure).values(
                number=unknown, next_poll_at=harness.now, next_scan_at=harness.now
            )
        )
        connection.execute(
            insert(Dossier).values(
                procedure=unknown,
                number=1,
                status="pending",
                next_attempt_at=harness.now,
                seen_at=harness.now,
                last_listed_at=harness.now,
            )
        )
    harness.wait(days=DAYS)
    assert purge(harness.runtime).dossiers == 0
    harness.wait(seconds=1)
    assert purge(harness.runtime).dossiers == 1


def test_it_works_in_batches_and_stops_when_its_time_is_up(harness: Harness) -> None:
    harness.tps.populate(
        [harness.form()], 10, states=[DossierState.CLOSED], oddities=False, until=harness.now
    )
    harness.run()
    harness.wait(days=DAYS + 1)
    first = purge(harness.runtime, within=timedelta(microseconds=-1), batch=4)
    assert (first.dossiers, first.complete) == (4, False)
    assert purge(harness.runtime).dossiers == 6
    assert harness.steps().count("purged") == 10


def test_two_at_once_remove_each_dossier_once(harness: Harness, old: dict[str, int]) -> None:
    assert purge(harness.runtime).dossiers + purge(harness.runtime).dossiers == 1
    assert harness.steps().count("purged") == 1


def test_nothing_that_stays_can_be_tied_to_the_dossier_without_the_key(
    harness: Harness, old: dict[str, int]
) -> None:
    """No row of any table holds its number; only lines under the keyed hash speak of it."""
    purge(harness.runtime)
    with harness.runtime.database.read() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                assert old["old"] not in tuple(row), table.name
        lines = select(func.count()).where(
            AuditLine.dossier_ref.in_(harness.runtime.audit.refs(PARIS_FORM, old["old"]))
        )
        assert connection.execute(lines).scalar_one() > 0
