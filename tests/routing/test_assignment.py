"""Who is told what when a dossier gets or changes its units."""

from hypothesis import given
from hypothesis import strategies as st

from routing.assignment import Assignment, Event, Notification, plan

UNITS = ("UD013", "UD075", "UD092", "UD093")
NOBODY = Assignment((), 0)

units = st.lists(st.sampled_from(UNITS), min_size=1, max_size=3, unique=True).map(tuple)


def filed(unit: str) -> Notification:
    return Notification(Event.FILED, unit)


def test_the_first_assignment_tells_each_unit_that_a_dossier_was_filed() -> None:
    change = plan(NOBODY, ("UD075", "UD092"))
    assert change.notify == (filed("UD075"), filed("UD092"))
    assert change.assignment == Assignment(("UD075", "UD092"), 1)


def test_a_move_tells_the_new_office_and_the_old_one_of_each_other() -> None:
    change = plan(Assignment(("UD075",), 1), ("UD093",))
    assert set(change.notify) == {
        Notification(Event.REASSIGNED_TO, "UD093", "UD075"),
        Notification(Event.REASSIGNED_FROM, "UD075", "UD093"),
    }
    assert change.assignment.ordinal == 2


def test_an_office_that_was_not_told_yet_is_not_told_of_its_loss() -> None:
    change = plan(Assignment(("UD075",), 1), ("UD093",), unsent={filed("UD075")})
    assert change.withdraw == (filed("UD075"),)
    assert change.notify == (filed("UD093"),)


def test_a_dossier_that_comes_back_before_anybody_was_told_tells_nobody() -> None:
    away = plan(Assignment(("UD075",), 1), ("UD093",))
    waiting = {Notification(notice.event, notice.unit) for notice in away.notify}
    back = plan(away.assignment, ("UD075",), unsent=waiting)
    assert back.notify == ()
    assert set(back.withdraw) == waiting


def test_a_silent_assignment_is_recorded_and_tells_nobody() -> None:
    change = plan(NOBODY, ("UD075",), silent=True)
    assert change.notify == ()
    assert change.assignment == Assignment(("UD075",), 1)


@given(units)
def test_nothing_follows_when_nothing_changes(same: tuple[str, ...]) -> None:
    current = Assignment(same, 3)
    assert plan(current, tuple(reversed(same))).assignment == current
    assert plan(current, same).notify == ()


def informed(unit: str) -> Notification:
    return Notification(Event.INFORMED, unit)


def test_whom_a_rule_informs_is_told_besides_and_the_dossier_s_own_units_are_not() -> None:
    change = plan(NOBODY, ("UD075",), inform=("UD093", "UD075"))
    assert change.notify == (filed("UD075"), informed("UD093"))
    assert change.assignment == Assignment(("UD075",), 1)


def test_a_silent_assignment_informs_nobody() -> None:
    assert plan(NOBODY, ("UD075",), inform=("UD093",), silent=True).notify == ()
    assert plan(Assignment(("UD075",), 1), ("UD075",), inform=("UD093",), silent=True).notify == ()


def test_one_that_was_informed_and_loses_the_dossier_unread_is_not_informed_again() -> None:
    change = plan(
        Assignment(("UD093",), 3),
        ("UD092",),
        inform=("UD093",),
        told={"UD092", "UD093"},
        unsent={Notification(Event.REASSIGNED_TO, "UD093")},
    )
    assert informed("UD093") not in change.notify


def test_a_unit_that_loses_a_dossier_unread_is_informed_where_the_rule_says_so() -> None:
    change = plan(
        Assignment(("UD075",), 1),
        ("UD093",),
        inform=("UD075",),
        unsent={filed("UD075")},
    )
    assert change.withdraw == (filed("UD075"),)
    assert change.notify == (filed("UD093"), informed("UD075"))


@given(
    st.lists(
        st.tuples(units, st.lists(st.sampled_from(UNITS), unique=True), st.booleans()), max_size=8
    ),
)
def test_nobody_is_informed_twice_nor_of_what_it_has_and_all_are_who_should_be(
    moves: list[tuple[tuple[str, ...], list[str], bool]],
) -> None:
    """Plays moves with messages sent at any time or not, as the outbox keeps them."""
    current = NOBODY
    outbox: list[Notification] = []
    sent: list[Notification] = []
    for target, inform, sends in moves:
        reached = {notice.unit for notice in sent if notice.event is not Event.REASSIGNED_FROM}
        unsent = {Notification(notice.event, notice.unit) for notice in outbox}
        change = plan(current, target, inform=tuple(inform), told=reached, unsent=unsent)
        gone = {(notice.event, notice.unit) for notice in change.withdraw}
        outbox = [notice for notice in outbox if (notice.event, notice.unit) not in gone]
        outbox += change.notify
        current = change.assignment
        assert not {n.unit for n in outbox if n.event is Event.INFORMED} & set(target)
        assert set(inform) <= {n.unit for n in outbox + sent} | set(target)
        if sends:
            sent += outbox
            outbox = []
    told = [notice.unit for notice in sent + outbox if notice.event is Event.INFORMED]
    assert len(told) == len(set(told))


@given(st.lists(st.tuples(units, st.booleans()), max_size=8))
def test_whatever_happens_each_office_knows_in_the_end_whether_it_has_the_dossier(
    moves: list[tuple[tuple[str, ...], bool]],
) -> None:
    """Plays moves with messages sent at any time or not; `knows` is what messages made of it."""
    current = NOBODY
    outbox: list[Notification] = []
    knows: set[str] = set()

    def send() -> None:
        for notice in outbox:
            leaves = notice.event is Event.REASSIGNED_FROM
            assert (notice.unit in knows) is leaves, "told what it knew already"
            (knows.discard if leaves else knows.add)(notice.unit)
        outbox.clear()

    for target, sends in moves:
        unsent = {Notification(notice.event, notice.unit) for notice in outbox}
        change = plan(current, target, unsent=unsent)
        gone = {(notice.event, notice.unit) for notice in change.withdraw}
        outbox = [notice for notice in outbox if (notice.event, notice.unit) not in gone]
        outbox += change.notify
        current = change.assignment
        if sends:
            send()
    send()
    assert knows == set(current.units)
