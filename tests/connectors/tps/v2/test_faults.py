"""Each way in which v2 fails: what is broken is set aside, and the page goes on."""

from typing import Any

import pytest

from connectors.tps.errors import GiveUpOnDossier, MalformedResponse, RetryLater, TpsFailure
from routing.failures import Cause
from simulator import Fault, FaultKind, Seen
from simulator.dossier import DEFECTS
from tests.connectors.tps.v2.port import FORM, Reader, reader


def refused(v2: Reader, call: Any) -> TpsFailure:  # noqa: ANN401
    with pytest.raises(TpsFailure) as caught:
        call()
    return caught.value


def test_a_null_node_is_read_by_itself_and_the_page_goes_on(v2: Reader) -> None:
    numbers = v2.tps.populate([FORM], 5, oddities=False)
    v2.tps.fail_detail(numbers[2])
    rows = v2.everything()
    assert sorted(rows) == numbers
    # The numbers come without facts: each that is not known by then is to be read.
    assert [number for page in v2.pages for row in page.rows if row.facts
            for number in [row.number]] == [*numbers[:2], *numbers[3:]]  # fmt: skip
    failure = refused(v2, lambda: v2.facts(numbers[2]))
    assert isinstance(failure, RetryLater)
    v2.tps.heal()
    assert v2.facts(numbers[2]).number == numbers[2]


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_dossier_that_breaks_the_protocol_stops_no_other(v2: Reader, defect: str) -> None:
    numbers = v2.tps.populate([FORM], 4, oddities=False)
    v2.tps.change(numbers[1], defect=defect)
    assert sorted(v2.everything()) == numbers
    read = {row.number for page in v2.pages for row in page.rows if row.facts}
    assert read == {numbers[0], *numbers[2:]}
    assert isinstance(refused(v2, lambda: v2.facts(numbers[1])), MalformedResponse)


def test_errors_beside_data_are_not_in_the_way(v2: Reader) -> None:
    number = v2.tps.add(FORM).number
    v2.everything()
    v2.tps.fail_all(FaultKind.ERRORS_BESIDE_DATA)
    v2.cursor = None
    assert v2.everything()[number].facts is not None


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("not_found", Cause.TPS_NOT_FOUND),
        ("unauthorized", Cause.TPS_FORBIDDEN),
        ("bad_request", Cause.TPS_REJECTED),
        ("timeout", Cause.TPS_TIMEOUT),
        ("internal_server_error", Cause.TPS_UNAVAILABLE),
        ("invalid_null", Cause.TPS_MALFORMED),
        ("something_new", Cause.TPS_REJECTED),
    ],
)
def test_errors_in_place_of_data(v2: Reader, code: str, cause: Cause) -> None:
    v2.everything()
    v2.tps.fail_all(Fault(kind=FaultKind.ERRORS, code=code))
    assert refused(v2, v2.changes).cause is cause
    v2.tps.heal()
    assert v2.changes() == {}


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault(kind=FaultKind.HTML, status=403), Cause.TPS_FORBIDDEN),
        (Fault(kind=FaultKind.HTML, status=500), Cause.TPS_UNAVAILABLE),
        (Fault(kind=FaultKind.HTML, status=503), Cause.TPS_UNAVAILABLE),
        (Fault(kind=FaultKind.HTML, status=200), Cause.TPS_NOT_JSON),
        (Fault(kind=FaultKind.JSON, status=404), Cause.TPS_NOT_FOUND),
        (Fault(kind=FaultKind.RESET), Cause.TPS_RESET),
        (Fault(kind=FaultKind.TRUNCATED), Cause.TPS_TRUNCATED),
        (Fault(kind=FaultKind.MALFORMED), Cause.TPS_MALFORMED),
        (Fault(kind=FaultKind.NULL_PAGE), Cause.TPS_MALFORMED),
    ],
    ids=lambda each: each.kind if isinstance(each, Fault) else each.value,
)
def test_a_server_that_fails_altogether(v2: Reader, fault: Fault, cause: Cause) -> None:
    number = v2.tps.add(FORM).number
    v2.everything()
    v2.tps.fail_all(fault)
    assert refused(v2, v2.changes).cause is cause
    v2.tps.heal()
    assert number in v2.changes()


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.DRIP, FaultKind.OVERSIZED])
def test_an_answer_without_an_end_is_cut_off(kind: FaultKind) -> None:
    with reader(read=0.1, whole=0.3, size=100_000) as v2:
        v2.everything()
        v2.tps.fail_all(kind)
        expected = Cause.TPS_OVERSIZED if kind is FaultKind.OVERSIZED else Cause.TPS_TIMEOUT
        assert refused(v2, v2.changes).cause is expected
        v2.tps.heal()
        assert v2.changes() == {}


def test_the_limit_of_requests_says_when_to_come_back(v2: Reader) -> None:
    v2.everything()
    v2.tps.throttle(30)
    failure = refused(v2, v2.changes)
    assert (failure.cause, failure.status, failure.retry_after) == (Cause.TPS_THROTTLED, 429, 30)


def test_a_page_that_takes_too_long_shrinks_and_grows_back(v2: Reader) -> None:
    numbers = v2.tps.populate([FORM], 120, oddities=False)
    v2.tps.v2.slow_above = 30
    assert sorted(v2.everything()) == numbers
    asked = [seen.variables["first"] for seen in v2.tps.requests if "first" in seen.variables]
    assert asked[:5] == [100, 25, 27, 29, 31]
    v2.tps.v2.slow_above = None
    for _ in range(40):
        v2.changes()
    assert v2.at.size == 100


def test_a_server_that_says_nothing_is_asked_for_less() -> None:
    with reader(read=0.1, whole=0.3) as v2:
        number = v2.tps.add(FORM).number
        v2.everything()
        v2.tps.fail_all(Fault(kind=FaultKind.HANG, times=1))
        assert refused(v2, v2.changes).cause is Cause.TPS_TIMEOUT
        v2.tps.requests.clear()
        assert number in v2.changes()
        assert [seen.variables["first"] for seen in v2.tps.requests] == [25]


def test_one_dossier_that_no_page_can_hold_is_set_aside(v2: Reader) -> None:
    numbers = v2.tps.populate([FORM], 30, oddities=False)
    v2.everything()
    bad = numbers[17]
    v2.cursor = None

    def fail_with_it(seen: Seen) -> None:
        """The page is null whenever the bad one would be on it with its answers."""
        v2.tps.faults.everything = None
        if seen.operation == "DossierPage":
            after = order(v2).index(bad)
            position = position_of(v2, seen)
            if position <= after < position + int(str(seen.variables["first"])):
                v2.tps.fail_all(FaultKind.NULL_PAGE)

    v2.tps.on_request = fail_with_it
    rows = v2.everything()
    assert sorted(rows) == numbers
    assert [number for number, row in rows.items() if row.facts is None] == [bad]


def order(v2: Reader) -> list[int]:
    return [number for _, number in v2.tps.state.procedures[FORM.procedure].by_deposit]


def position_of(v2: Reader, seen: Seen) -> int:
    """Where a page of everything begins, by the number in its cursor."""
    after = seen.variables["after"]
    if after is None:
        return 0
    from base64 import b64decode  # noqa: PLC0415

    return order(v2).index(int(b64decode(str(after)).decode().rpartition(";")[2])) + 1


def test_a_dossier_that_is_not_there_is_not_found(v2: Reader) -> None:
    number = v2.tps.add(FORM).number
    v2.everything()
    v2.tps.delete(number)
    failure = refused(v2, lambda: v2.facts(number))
    assert isinstance(failure, GiveUpOnDossier)
    assert failure.cause is Cause.TPS_NOT_FOUND


def test_what_can_be_read(v2: Reader) -> None:
    assert v2.port.can_read(FORM.procedure)
    assert not v2.port.can_read(2)
    v2.tps.fail_all(Fault(kind=FaultKind.JSON, status=403))
    assert refused(v2, lambda: v2.port.can_read(FORM.procedure)).cause is Cause.TPS_FORBIDDEN


def test_no_failure_shows_what_was_answered(v2: Reader) -> None:
    v2.everything()
    v2.tps.fail_all(Fault(kind=FaultKind.ERRORS, code="timeout"))
    failure = refused(v2, lambda: v2.facts(12))
    assert str(failure) == "tps-timeout (200): read dossier 1/12"
    assert failure.__context__ is None
