"""What hints make due, how often, and what is kept for later."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from store import hints
from store.dossier_claims import claim
from store.hints import DOSSIER_INTERVAL, FORM, LIST_INTERVAL, THE_LIST, Due, Event, Tip
from store.leases import Lease
from store.models import Dossier, Hint, Procedure
from store.polls import claim as claim_procedure
from tests.stage import OTHER_FORM, PARIS_FORM, Stage

READ = Due(routes=frozenset({PARIS_FORM}))
POLL = Due(polls=frozenset({PARIS_FORM}))
NOTHING = Due()


def note(stage: Stage, *tips: Tip) -> Due:
    with stage.runtime.database.begin() as connection:
        return hints.note(connection, tips, stage.now)


def follow(stage: Stage) -> Due:
    with stage.runtime.database.begin() as connection:
        return hints.follow(connection, stage.now)


def tip(*numbers: int, procedure: int = PARIS_FORM) -> Tip:
    return Tip(procedure=procedure, source=FORM, numbers=frozenset(numbers))


def batch(*events: tuple[int, int | None], webhook: str = "webhook:1") -> Tip:
    return Tip(
        procedure=PARIS_FORM,
        source=webhook,
        events=tuple(Event(sequence, number) for sequence, number in events),
    )


@pytest.fixture
def known(stage: Stage) -> int:
    """A dossier that was routed and told of an hour ago."""
    number = stage.file()
    stage.run()
    stage.wait(hours=1)
    return number


def due_at(stage: Stage, number: int) -> object:
    with stage.runtime.database.read() as connection:
        return connection.scalar(select(Dossier.next_attempt_at).where(Dossier.number == number))


def next_poll_at(stage: Stage) -> object:
    query = select(Procedure.next_poll_at).where(Procedure.number == PARIS_FORM)
    with stage.runtime.database.read() as connection:
        return connection.scalar(query)


def stored(stage: Stage) -> int:
    with stage.runtime.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(Hint)) or 0


def put_off(stage: Stage) -> None:
    """Let Paris be polled in an hour."""
    with stage.runtime.database.begin() as connection:
        later = stage.now + timedelta(hours=1)
        connection.execute(update(Procedure).values(next_poll_at=later))


def test_a_known_dossier_becomes_due_at_once(stage: Stage, known: int) -> None:
    assert due_at(stage, known) is None
    assert note(stage, tip(known)) == READ
    assert due_at(stage, known) == stage.now


def test_an_unknown_dossier_makes_its_procedure_due_and_leaves_no_row(
    stage: Stage, known: int
) -> None:
    put_off(stage)
    assert note(stage, tip(known + 1)) == POLL
    assert next_poll_at(stage) == stage.now
    assert due_at(stage, known + 1) is None
    assert stored(stage) == 1


def test_a_procedure_that_is_not_ours_leaves_nothing(stage: Stage, known: int) -> None:
    assert note(stage, tip(known, procedure=77)) == NOTHING
    assert stored(stage) == 0
    with stage.runtime.database.read() as connection:
        assert hints.sources(connection) == []


def test_a_flood_reads_a_dossier_once_a_minute(stage: Stage, known: int) -> None:
    read = 0
    start = stage.now
    while stage.now < start + timedelta(minutes=3):
        read += bool(note(stage, tip(known)).routes)
        read += bool(follow(stage).routes)
        stage.wait(seconds=5)
    assert read == 3


def test_a_hint_within_the_minute_is_followed_after_it(stage: Stage, known: int) -> None:
    note(stage, tip(known))
    stage.run()
    stage.wait(seconds=20)
    assert note(stage, tip(known)) == NOTHING
    assert follow(stage) == NOTHING
    stage.now += DOSSIER_INTERVAL
    assert follow(stage) == READ
    assert due_at(stage, known) == stage.now
    assert follow(stage) == NOTHING


def test_a_hint_about_a_dossier_that_is_being_read_is_followed_after_it(
    stage: Stage, known: int
) -> None:
    note(stage, tip(known))
    lease = Lease(stage.now, timedelta(minutes=4))
    with stage.runtime.database.begin() as connection:
        assert claim(connection, PARIS_FORM, limit=9, lease=lease, now=stage.now)
    stage.wait(seconds=61)
    assert note(stage, tip(known)) == NOTHING
    assert due_at(stage, known) == lease.until
    stage.wait(minutes=4)
    stage.run()
    assert follow(stage) == READ


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
def test_a_row_that_somebody_has_locked_is_not_waited_for(stage: Stage, known: int) -> None:
    with stage.runtime.database.begin() as other:
        other.execute(select(Dossier.number).with_for_update())
        assert note(stage, tip(known)) == NOTHING
    stage.now += DOSSIER_INTERVAL
    assert follow(stage) == READ


def test_lists_are_asked_for_once_in_their_interval(stage: Stage, known: int) -> None:
    assert note(stage, tip(1)) == POLL
    stage.wait(seconds=5)
    assert note(stage, tip(2)) == NOTHING
    put_off(stage)
    stage.now += LIST_INTERVAL
    assert follow(stage) == POLL
    assert next_poll_at(stage) == stage.now


def test_a_hint_that_comes_while_the_list_is_read_is_followed_after_it(
    stage: Stage, known: int
) -> None:
    with stage.runtime.database.begin() as connection:
        lease = Lease(stage.now, timedelta(seconds=10))
        assert claim_procedure(connection, PARIS_FORM, lease, stage.now)
    assert note(stage, tip(1)) == NOTHING
    stage.now += LIST_INTERVAL
    assert follow(stage) == POLL


def test_a_stopped_procedure_is_not_tried_for_a_hint(stage: Stage, known: int) -> None:
    put_off(stage)
    with stage.runtime.database.begin() as connection:
        connection.execute(update(Procedure).values(status="stopped"))
    assert note(stage, tip(1)) == NOTHING
    assert next_poll_at(stage) == stage.now + timedelta(hours=1)


def test_what_was_followed_is_forgotten(stage: Stage, known: int) -> None:
    note(stage, tip(known, 1))
    note(stage, tip(known, 2))
    assert stored(stage) == 2
    stage.wait(minutes=2)
    follow(stage)
    stage.wait(minutes=2)
    follow(stage)
    assert stored(stage) == 0


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        ([(5, None)], [(6, None)], NOTHING),
        ([(5, None)], [(8, None)], POLL),
        ([(5, None), (7, None)], [(5, None), (7, None)], NOTHING),
        ([(5, None), (7, None)], [(7, None), (8, None)], NOTHING),
        ([(5, None)], [(6, THE_LIST)], POLL),
        ([(5, None)], [(6, 0)], POLL),
    ],
    ids=["next", "gap", "again", "overlap", "deleted", "no number"],
)
def test_sequences(
    stage: Stage,
    known: int,
    first: Sequence[tuple[int, int | None]],
    then: Sequence[tuple[int, int | None]],
    expected: Due,
) -> None:
    assert note(stage, batch(*first)) == POLL
    stage.wait(minutes=1)
    follow(stage)
    stage.wait(minutes=1)
    assert note(stage, batch(*then)) == expected


def test_a_repeated_batch_reads_nothing_again(stage: Stage, known: int) -> None:
    note(stage, batch((1, None)))
    assert note(stage, batch((2, known))) == READ
    stage.wait(minutes=5)
    assert note(stage, batch((2, known))) == NOTHING
    assert note(stage, batch((2, known), webhook="webhook:2")).routes


def test_each_webhook_is_remembered(stage: Stage, known: int) -> None:
    note(stage, batch((3, known)), tip(known), tip(known, procedure=OTHER_FORM))
    stage.wait(minutes=1)
    note(stage, batch((2, known)))
    with stage.runtime.database.read() as connection:
        heard = {(each.procedure, each.source): each for each in hints.sources(connection)}
    assert set(heard) == {(PARIS_FORM, FORM), (OTHER_FORM, FORM), (PARIS_FORM, "webhook:1")}
    assert heard[PARIS_FORM, "webhook:1"].sequence == 3
    assert heard[PARIS_FORM, "webhook:1"].heard_at == stage.now
