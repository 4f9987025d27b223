"""What hints make due, how often, and what is kept for later."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from store import hints
from store.dossier_claims import claim
from store.hints import DOSSIER_INTERVAL, FORM, LIST_INTERVAL, THE_LIST, Due, Event, ReceivedHint
from store.leases import Lease
from store.models import Dossier, Hint, Procedure
from store.polls import claim as claim_procedure
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness

READ = Due(routes=frozenset({PARIS_FORM}))
POLL = Due(polls=frozenset({PARIS_FORM}))
NOTHING = Due()


def note(harness: Harness, *received: ReceivedHint) -> Due:
    with harness.runtime.database.begin() as connection:
        return hints.note(connection, received, harness.now)


def follow(harness: Harness) -> Due:
    with harness.runtime.database.begin() as connection:
        return hints.follow(connection, harness.now)


def hint(*numbers: int, procedure: int = PARIS_FORM) -> ReceivedHint:
    return ReceivedHint(procedure=procedure, source=FORM, numbers=frozenset(numbers))


def batch(*events: tuple[int, int | None], webhook: str = "webhook:1") -> ReceivedHint:
    return ReceivedHint(
        procedure=PARIS_FORM,
        source=webhook,
        events=tuple(Event(sequence, number) for sequence, number in events),
    )


@pytest.fixture
def known(harness: Harness) -> int:
    """A dossier that was routed and told of an hour ago."""
    number = harness.file()
    harness.run()
    harness.wait(hours=1)
    return number


def due_at(harness: Harness, number: int) -> object:
    with harness.runtime.database.read() as connection:
        return connection.scalar(select(Dossier.next_attempt_at).where(Dossier.number == number))


def next_poll_at(harness: Harness) -> object:
    query = select(Procedure.next_poll_at).where(Procedure.number == PARIS_FORM)
    with harness.runtime.database.read() as connection:
        return connection.scalar(query)


def stored(harness: Harness) -> int:
    with harness.runtime.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(Hint)) or 0


def put_off(harness: Harness) -> None:
    """Let Paris be polled in an hour."""
    with harness.runtime.database.begin() as connection:
        later = harness.now + timedelta(hours=1)
        connection.execute(update(Procedure).values(next_poll_at=later))


def test_a_known_dossier_becomes_due_at_once(harness: Harness, known: int) -> None:
    assert due_at(harness, known) is None
    assert note(harness, hint(known)) == READ
    assert due_at(harness, known) == harness.now


def test_an_unknown_dossier_makes_its_procedure_due_and_leaves_no_row(
    harness: Harness, known: int
) -> None:
    put_off(harness)
    assert note(harness, hint(known + 1)) == POLL
    assert next_poll_at(harness) == harness.now
    assert due_at(harness, known + 1) is None
    assert stored(harness) == 1


def test_a_procedure_that_is_not_ours_leaves_nothing(harness: Harness, known: int) -> None:
    assert note(harness, hint(known, procedure=77)) == NOTHING
    assert stored(harness) == 0
    with harness.runtime.database.read() as connection:
        assert hints.sources(connection) == []


def test_a_flood_reads_a_dossier_once_a_minute(harness: Harness, known: int) -> None:
    read = 0
    start = harness.now
    while harness.now < start + timedelta(minutes=3):
        read += bool(note(harness, hint(known)).routes)
        read += bool(follow(harness).routes)
        harness.wait(seconds=5)
    assert read == 3


def test_a_hint_within_the_minute_is_followed_after_it(harness: Harness, known: int) -> None:
    note(harness, hint(known))
    harness.run()
    harness.wait(seconds=20)
    assert note(harness, hint(known)) == NOTHING
    assert follow(harness) == NOTHING
    harness.now += DOSSIER_INTERVAL
    assert follow(harness) == READ
    assert due_at(harness, known) == harness.now
    assert follow(harness) == NOTHING


def test_a_hint_about_a_dossier_that_is_being_read_is_followed_after_it(
    harness: Harness, known: int
) -> None:
    note(harness, hint(known))
    lease = Lease(harness.now, timedelta(minutes=4))
    with harness.runtime.database.begin() as connection:
        assert claim(connection, PARIS_FORM, limit=9, lease=lease, now=harness.now)
    harness.wait(seconds=61)
    assert note(harness, hint(known)) == NOTHING
    assert due_at(harness, known) == lease.until
    harness.wait(minutes=4)
    harness.run()
    assert follow(harness) == READ


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
def test_a_row_that_somebody_has_locked_is_not_waited_for(harness: Harness, known: int) -> None:
    with harness.runtime.database.begin() as other:
        other.execute(select(Dossier.number).with_for_update())
        assert note(harness, hint(known)) == NOTHING
    harness.now += DOSSIER_INTERVAL
    assert follow(harness) == READ


def test_lists_are_asked_for_once_in_their_interval(harness: Harness, known: int) -> None:
    assert note(harness, hint(1)) == POLL
    harness.wait(seconds=5)
    assert note(harness, hint(2)) == NOTHING
    put_off(harness)
    harness.now += LIST_INTERVAL
    assert follow(harness) == POLL
    assert next_poll_at(harness) == harness.now


def test_a_hint_that_comes_while_the_list_is_read_is_followed_after_it(
    harness: Harness, known: int
) -> None:
    with harness.runtime.database.begin() as connection:
        lease = Lease(harness.now, timedelta(seconds=10))
        assert claim_procedure(connection, PARIS_FORM, lease, harness.now)
    assert note(harness, hint(1)) == NOTHING
    harness.now += LIST_INTERVAL
    assert follow(harness) == POLL


def test_a_stopped_procedure_is_not_tried_for_a_hint(harness: Harness, known: int) -> None:
    put_off(harness)
    with harness.runtime.database.begin() as connection:
        connection.execute(update(Procedure).values(status="stopped"))
    assert note(harness, hint(1)) == NOTHING
    assert next_poll_at(harness) == harness.now + timedelta(hours=1)


def test_what_was_followed_is_forgotten(harness: Harness, known: int) -> None:
    note(harness, hint(known, 1))
    note(harness, hint(known, 2))
    assert stored(harness) == 2
    harness.wait(minutes=2)
    follow(harness)
    harness.wait(minutes=2)
    follow(harness)
    assert stored(harness) == 0


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
    harness: Harness,
    known: int,
    first: Sequence[tuple[int, int | None]],
    then: Sequence[tuple[int, int | None]],
    expected: Due,
) -> None:
    assert note(harness, batch(*first)) == POLL
    harness.wait(minutes=1)
    follow(harness)
    harness.wait(minutes=1)
    assert note(harness, batch(*then)) == expected


def test_a_repeated_batch_reads_nothing_again(harness: Harness, known: int) -> None:
    note(harness, batch((1, None)))
    assert note(harness, batch((2, known))) == READ
    harness.wait(minutes=5)
    assert note(harness, batch((2, known))) == NOTHING
    assert note(harness, batch((2, known), webhook="webhook:2")).routes


def test_each_webhook_is_remembered(harness: Harness, known: int) -> None:
    note(harness, batch((3, known)), hint(known), hint(known, procedure=OTHER_FORM))
    harness.wait(minutes=1)
    note(harness, batch((2, known)))
    with harness.runtime.database.read() as connection:
        heard = {(each.procedure, each.source): each for each in hints.sources(connection)}
    assert set(heard) == {(PARIS_FORM, FORM), (OTHER_FORM, FORM), (PARIS_FORM, "webhook:1")}
    assert heard[PARIS_FORM, "webhook:1"].sequence == 3
    assert heard[PARIS_FORM, "webhook:1"].heard_at == harness.now
