"""Retention: what ended long ago is removed, nothing else is, and nobody is told again."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from routing.facts import DossierState
from service import purge as purging
from service.poll import poll
from service.purge import purge
from simulator import Simulator
from simulator.v1.answers import V1Answers
from store import dossiers
from store.deliveries import DeliveryState
from store.dossiers import DossierStatus
from store.models import AuditLine, Base, Delivery, Dossier, Procedure
from tests.stage import OTHER_FORM, PARIS_FORM, Stage, make_stage

DAYS = 730
DECIDED = (DossierState.CLOSED, DossierState.REFUSED, DossierState.WITHOUT_CONTINUATION)


def numbers(stage: Stage) -> set[int]:
    """The dossiers that are stored."""
    with stage.runtime.database.read() as connection:
        return {dossier.number for dossier in dossiers.listing(connection)}


def decide(stage: Stage, number: int, state: DossierState = DossierState.CLOSED) -> None:
    """Let the office decide a dossier in a minute, and let us learn of it."""
    stage.wait(minutes=1)
    stage.tps.change(number, state=state, changed_at=stage.now)
    stage.run()


def sent(stage: Stage) -> int:
    return len(stage.mails())


@pytest.fixture
def old(stage: Stage) -> dict[str, int]:
    """One dossier decided longer ago than the retention, one decided later, one open."""
    filed = {name: stage.file() for name in ("old", "young", "open")}
    stage.run()
    stage.wait(days=10)
    decide(stage, filed["old"])
    stage.wait(days=1)
    decide(stage, filed["young"])
    stage.wait(days=DAYS - 1, seconds=1)
    return filed


def test_what_was_decided_longer_ago_is_removed_with_its_deliveries(
    stage: Stage, old: dict[str, int]
) -> None:
    report = purge(stage.runtime)
    assert (report.dossiers, report.deliveries, report.complete) == (1, 1, True)
    assert numbers(stage) == {old["young"], old["open"]}
    assert {delivery.number for delivery in stage.deliveries()} == {old["young"], old["open"]}


def test_a_dry_run_only_counts(stage: Stage, old: dict[str, int]) -> None:
    report = purge(stage.runtime, dry_run=True)
    assert (report.dossiers, report.deliveries) == (1, 1)
    assert numbers(stage) == set(old.values())
    assert "purged" not in stage.steps()


def test_each_removal_is_the_last_line_of_its_trace(stage: Stage, old: dict[str, int]) -> None:
    purge(stage.runtime)
    refs = stage.runtime.audit.refs(PARIS_FORM, old["old"])
    life = select(AuditLine.step).where(AuditLine.dossier_ref.in_(refs)).order_by(AuditLine.id)
    with stage.runtime.database.read() as connection:
        assert list(connection.execute(life).scalars())[-1] == "purged"


@pytest.mark.parametrize("state", DECIDED)
def test_a_purged_dossier_that_tps_still_lists_stays_purged_and_is_not_told_again(
    stage: Stage, state: DossierState
) -> None:
    number = stage.file()
    stage.run()
    decide(stage, number, state)
    stage.wait(days=DAYS, seconds=1)
    before = sent(stage)
    assert purge(stage.runtime).dossiers == 1
    for _ in range(3):
        stage.wait(hours=1)
        report = stage.run()
        assert report.polls[PARIS_FORM].new == 0
        assert poll(stage.runtime, PARIS_FORM).new == 0
    stage.tps.change(number, changed_at=stage.now)
    stage.wait(hours=1)
    stage.run()
    assert numbers(stage) == set()
    assert sent(stage) == before


def test_a_longer_retention_afterwards_brings_nothing_back(stage: Stage) -> None:
    number = stage.file()
    stage.run()
    decide(stage, number)
    stage.wait(days=DAYS, seconds=1)
    purge(stage.runtime)
    stage.runtime.settings = stage.runtime.settings.model_copy(update={"retention_days": 9 * DAYS})
    stage.run()
    assert numbers(stage) == set()


def test_dossiers_that_were_never_purged_are_still_taken_in(stage: Stage) -> None:
    """The history of a form that is new to us, and what was filed after the purged ones."""
    number = stage.file()
    stage.run()
    decide(stage, number)
    stage.wait(days=DAYS, seconds=1)
    purge(stage.runtime)
    late = stage.file(state="closed")
    history = stage.file(OTHER_FORM, filed_at=stage.now - timedelta(days=DAYS + 9), state="closed")
    stage.run()
    assert numbers(stage) == {late, history}
    assert stage.told(late) == [("filed", "UD075")]


def test_a_purged_dossier_that_is_reopened_is_new_again(stage: Stage) -> None:
    number = stage.file()
    stage.run()
    decide(stage, number)
    stage.wait(days=DAYS, seconds=1)
    purge(stage.runtime)
    stage.tps.change(number, state="received", changed_at=stage.now)
    stage.run()
    assert stage.told(number) == [("filed", "UD075")]


def test_a_server_without_states_in_its_lists_tells_nothing_again_either(
    database_url: str, tmp_path: Path
) -> None:
    with Simulator(era="2018").serve() as server:
        stage = make_stage(database_url, server, tmp_path)
        number = stage.file()
        stage.run()
        decide(stage, number)
        stage.wait(days=DAYS, seconds=1)
        purge(stage.runtime)
        stage.run()
        assert numbers(stage) == set()
        stage.runtime.close()


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
        stage = make_stage(database_url, server, tmp_path)
        number = stage.file()
        stage.run()
        decide(stage, number)
        stage.wait(days=DAYS, seconds=1)
        before = sent(stage)
        purge(stage.runtime)
        stage.run()
        assert numbers(stage) == {number}
        assert stage.deliveries() == []
        assert sent(stage) == before
        stage.runtime.close()


def test_what_tps_deleted_is_removed_as_well(stage: Stage) -> None:
    number, kept = stage.file(), stage.file()
    stage.run()
    stage.tps.delete(number)
    for _ in range(3):
        stage.wait(hours=1)
        stage.run()
    assert stage.dossier(number).status is DossierStatus.GONE
    stage.wait(days=DAYS - 1)
    assert purge(stage.runtime).dossiers == 0
    stage.wait(days=1, seconds=1)
    assert purge(stage.runtime).dossiers == 1
    assert numbers(stage) == {kept}


def test_messages_to_a_decided_dossier_do_not_keep_it(stage: Stage) -> None:
    number = stage.file()
    stage.run()
    decide(stage, number)
    stage.wait(days=DAYS - 10)
    stage.tps.change(number, changed_at=stage.now)
    stage.run()
    stage.wait(days=10, seconds=1)
    assert purge(stage.runtime).dossiers == 1


def test_a_dossier_that_was_reopened_counts_from_its_last_decision(stage: Stage) -> None:
    number = stage.file()
    stage.run()
    decide(stage, number)
    stage.wait(days=100)
    decide(stage, number, DossierState.RECEIVED)
    stage.wait(days=DAYS)
    assert purge(stage.runtime).dossiers == 0
    decide(stage, number)
    stage.wait(days=DAYS - 1)
    assert purge(stage.runtime).dossiers == 0
    stage.wait(days=1, seconds=1)
    assert purge(stage.runtime).dossiers == 1


def test_what_is_open_quarantined_at_work_or_unsent_stays(stage: Stage) -> None:
    open_, quarantined, at_work, unsent = (stage.file() for _ in range(4))
    stage.run()
    for number in (quarantined, at_work, unsent):
        decide(stage, number)
    stage.wait(minutes=1)
    stage.tps.fail_detail(quarantined, 500)
    stage.tps.change(quarantined, changed_at=stage.now)
    stage.run()
    with stage.runtime.database.begin() as connection:
        connection.execute(
            update(Dossier)
            .where(Dossier.number == at_work)
            .values(lease_token="x", next_attempt_at=stage.now)
        )
        connection.execute(
            update(Delivery)
            .where(Delivery.number == unsent)
            .values(state=DeliveryState.PENDING.value, next_attempt_at=stage.now)
        )
    stage.wait(days=DAYS * 2)
    assert purge(stage.runtime).dossiers == 0
    assert numbers(stage) == {open_, quarantined, at_work, unsent}


def test_dossiers_of_a_form_that_is_configured_no_more_do_not_stay_for_ever(stage: Stage) -> None:
    unknown = 99_999
    with stage.runtime.database.begin() as connection:
        connection.execute(
            insert(Procedure).values(number=unknown, next_poll_at=stage.now, next_scan_at=stage.now)
        )
        connection.execute(
            insert(Dossier).values(
                procedure=unknown,
                number=1,
                status="pending",
                next_attempt_at=stage.now,
                seen_at=stage.now,
                last_listed_at=stage.now,
            )
        )
    stage.wait(days=DAYS)
    assert purge(stage.runtime).dossiers == 0
    stage.wait(seconds=1)
    assert purge(stage.runtime).dossiers == 1


def test_it_works_in_batches_and_stops_when_its_time_is_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "BATCH", 4)
    stage.tps.populate(
        [stage.form()], 10, states=[DossierState.CLOSED], oddities=False, until=stage.now
    )
    stage.run()
    stage.wait(days=DAYS + 1)
    first = purge(stage.runtime, within=timedelta(microseconds=-1))
    assert (first.dossiers, first.complete) == (4, False)
    assert purge(stage.runtime).dossiers == 6
    assert stage.steps().count("purged") == 10


def test_two_at_once_remove_each_dossier_once(stage: Stage, old: dict[str, int]) -> None:
    assert purge(stage.runtime).dossiers + purge(stage.runtime).dossiers == 1
    assert stage.steps().count("purged") == 1


def test_nothing_that_stays_can_be_tied_to_the_dossier_without_the_key(
    stage: Stage, old: dict[str, int]
) -> None:
    """No row of any table holds its number; only lines under the keyed hash speak of it."""
    purge(stage.runtime)
    with stage.runtime.database.read() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                assert old["old"] not in tuple(row), table.name
        lines = select(func.count()).where(
            AuditLine.dossier_ref.in_(stage.runtime.audit.refs(PARIS_FORM, old["old"]))
        )
        assert connection.execute(lines).scalar_one() > 0
