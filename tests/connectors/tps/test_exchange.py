"""An answer is reduced on the spot, and a failure leaves nothing of it behind."""

import pytest

from connectors.tps.errors import MalformedReason, Operation, RequestContext, TpsFailure, failure
from connectors.tps.exchange import reduced
from connectors.tps.json_checks import MalformedJson
from connectors.tps.sealed_response import SealedResponse
from routing.failures import Cause

PLACE = RequestContext(Operation.READ, 1, 2)


def answer() -> SealedResponse:
    return SealedResponse({"name": "canari"}, 10)


def refuse(_: object) -> None:
    raise failure(Cause.TPS_NOT_FOUND, PLACE)


def break_promise(_: object) -> None:
    raise MalformedJson(MalformedReason.STATE)


def slip(content: object) -> None:
    raise KeyError(content)


def failure_of(reader: object) -> TpsFailure:
    with pytest.raises(TpsFailure) as caught:
        reduced(answer, PLACE, reader)  # type: ignore[arg-type]
    return caught.value


def test_what_the_reader_makes_of_an_answer_is_returned() -> None:
    assert reduced(answer, PLACE, lambda content: len(str(content))) > 0


def test_a_call_that_failed_is_raised() -> None:
    with pytest.raises(TpsFailure) as caught:
        reduced(lambda: failure(Cause.TPS_TIMEOUT, PLACE), PLACE, refuse)
    assert caught.value.cause is Cause.TPS_TIMEOUT


@pytest.mark.parametrize(
    ("reader", "cause"),
    [
        (refuse, Cause.TPS_NOT_FOUND),
        (break_promise, Cause.TPS_MALFORMED),
        (slip, Cause.TPS_MALFORMED),
    ],
)
def test_what_a_reader_raises_is_a_failure_without_the_answer(reader: object, cause: Cause) -> None:
    found = failure_of(reader)
    assert found.cause is cause
    assert found.__context__ is None
    assert found.__cause__ is None
    trace = found.__traceback__
    while trace:
        assert not any(
            isinstance(each, SealedResponse) for each in trace.tb_frame.f_locals.values()
        )
        trace = trace.tb_next
