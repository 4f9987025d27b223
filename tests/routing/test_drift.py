"""When a field has vanished from a form, and when it only looks so."""

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.drift import LEARNED, MEMORY, WINDOW, Count, DrivingField, Tally, blanks, count
from routing.facts import DepartmentSource, DossierState, Facts, Filer, Reason

CLEAN = Tally(known=Count(200, 0))
FACTS = Facts(
    procedure=13760,
    number=1,
    state=DossierState.INITIATED,
    filed_at=datetime(2020, 11, 2, 9, tzinfo=UTC),
    changed_at=datetime(2020, 11, 2, 9, tzinfo=UTC),
    permit_type="apprentissage",
    department="75",
    department_source=DepartmentSource.RESIDENCE_PERMIT,
    filer=Filer.UNKNOWN,
)
FROM_POSTAL_CODE = replace(
    FACTS,
    department_source=DepartmentSource.RESIDENCE_POSTAL_CODE,
    reasons=(Reason.DEPARTMENT_FROM_POSTAL_CODE,),
)


@pytest.mark.parametrize("size", [4, 10, 50])
def test_a_field_blank_in_a_whole_batch_is_a_jump(size: int) -> None:
    assert CLEAN.jumps(Count(size, size))


def test_a_field_renamed_in_the_middle_of_a_batch_is_a_jump() -> None:
    assert CLEAN.jumps(Count(50, 20))


@pytest.mark.parametrize("odd", [1, 2, 3])
def test_a_few_odd_dossiers_are_no_jump_in_a_small_form(odd: int) -> None:
    assert not Tally(known=Count(LEARNED, 0)).jumps(Count(odd, odd))


def test_blanks_that_come_one_by_one_add_up() -> None:
    tally, accepted = CLEAN, 0
    while not tally.jumps(Count(1, 1)):
        tally, accepted = tally.after(Count(1, 1)), accepted + 1
    assert accepted == 3


def test_a_form_that_nobody_knows_is_only_watched() -> None:
    assert not Tally().jumps(Count(50, 50))
    assert not Tally(known=Count(LEARNED - 1, 0)).jumps(Count(50, 50))
    assert Tally(known=Count(LEARNED, 0)).jumps(Count(50, 50))


def test_a_form_that_was_always_blank_to_a_third_does_not_jump() -> None:
    random = Random(7)
    tally = Tally()
    for _ in range(5_000):
        size = random.randint(1, 50)
        batch = Count(size, sum(random.random() < 0.3 for _ in range(size)))
        assert not tally.jumps(batch)
        tally = tally.after(batch)
    assert tally.jumps(Count(50, 50))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=100))
def test_a_tally_stays_small_and_consistent(sizes: list[tuple[int, int]]) -> None:
    tally = Tally()
    for read, blank in sizes:
        tally = tally.after(Count(read, min(read, blank)))
        for part in (tally.known, tally.recent):
            assert 0 <= part.blank <= part.read
        assert tally.known.read <= MEMORY + WINDOW + 50
        assert tally.recent.read < WINDOW


def test_the_postal_code_is_no_proper_source() -> None:
    assert blanks(FACTS) == frozenset()
    assert blanks(FROM_POSTAL_CODE) == {DrivingField.DEPARTMENT}
    assert blanks(replace(FACTS, permit_type=None)) == {DrivingField.PERMIT_TYPE}


def test_an_answer_from_abroad_was_read() -> None:
    abroad = replace(
        FACTS,
        department=None,
        department_source=DepartmentSource.NONE,
        reasons=(Reason.DEPARTMENT_ABROAD,),
    )
    assert blanks(abroad) == frozenset()


def test_an_odd_dossier_that_is_edited_again_and_again_counts_once() -> None:
    counted = count([(None, FROM_POSTAL_CODE), *[(FROM_POSTAL_CODE, FROM_POSTAL_CODE)] * 30])
    assert counted[DrivingField.DEPARTMENT] == Count(1, 1)
    assert counted[DrivingField.PERMIT_TYPE] == Count(31, 0)


def test_a_dossier_that_lost_its_field_counts() -> None:
    assert count([(FACTS, FROM_POSTAL_CODE)])[DrivingField.DEPARTMENT] == Count(1, 1)
