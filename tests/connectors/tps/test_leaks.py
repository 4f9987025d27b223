"""Whatever fails, nothing of an answer and nothing of the token gets out."""

import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn, overload

import pytest
from pydantic import SecretStr

import connectors
from connectors.tps.errors import MalformedReason, MalformedResponse, TpsFailure
from connectors.tps.v1.client import V1Client
from routing.forms import PermitType
from simulator import Fault, FaultKind, Simulator
from tests.connectors.tps.samples import TOKEN, document, student_form
from tests.fixtures.raw_server import http, once, raw_server

CANARY = "Zoé-Ménard-canari"
OURS = Path(connectors.__file__).parent
NUMBER = 4_501
FORM = student_form()


class TimeIsUp(Exception):
    """Stands for the soft time limit of a task, which comes between any two lines."""


class Interrupting(Sequence[PermitType]):
    """Permit types that raise when they are read, which is while the answer is in scope."""

    def __init__(self, error: Callable[[], Exception]) -> None:
        self._error = error

    def __iter__(self) -> Iterator[PermitType]:
        raise self._error()

    def __len__(self) -> int:
        return 1

    @overload
    def __getitem__(self, index: int) -> PermitType: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[PermitType]: ...

    def __getitem__(self, index: int | slice) -> NoReturn:
        raise self._error()


def whole_answer(**changes: object) -> bytes:
    content = document()
    content["dossier"] |= {"email": CANARY, "motivation": CANARY}
    for entry in content["dossier"]["champs"]:
        if entry["type_de_champ"]["libelle"] in {"Nom", "Prénom"}:
            entry["value"] = CANARY
    content["dossier"] |= changes
    return json.dumps(content, ensure_ascii=False).encode()


def clean(error: BaseException, logs: pytest.LogCaptureFixture) -> bool:
    """Whether an error, its frames and the logs show neither the canary nor the token."""
    assert error.__cause__ is None
    assert error.__context__ is None
    frames = [
        {name: repr(value) for name, value in frame.f_locals.items()}
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename.startswith(str(OURS))
    ]
    shown = [
        str(error),
        repr(error),
        repr(error.args),
        repr(vars(error)),
        repr(frames),
        "".join(traceback.format_exception(error)),
        logs.text,
        repr([vars(record) for record in logs.records]),
    ]
    whole = "\n".join(shown)
    return CANARY not in whole and "canari" not in whole and TOKEN not in whole


ANSWERS = {
    "html": http(500, f"<html>{CANARY} {TOKEN}</html>".encode()),
    "reason": f"HTTP/1.1 500 {CANARY}\r\nContent-Length: 0\r\n\r\n".encode(),
    "not-json": http(200, CANARY.encode()),
    "cut": http(200, whole_answer()[:3000]),
    "truncated": http(200, whole_answer(), Content_Length="100000"),
    "not-the-one": http(200, whole_answer(id=1)),
    "unknown-state": http(200, whole_answer(state=CANARY)),
    "no-fields": http(200, whole_answer(champs=CANARY)),
    "no-dates": http(200, whole_answer(initiated_at=CANARY, created_at=CANARY)),
    "oversized": http(200, whole_answer() + b" " * 100_000),
    "unauthorized": http(401, f"Jeton {TOKEN} inconnu".encode()),
    "redirected": http(302, CANARY.encode(), Location=f"https://elsewhere.example/{TOKEN}"),
    "retry-after": http(429, CANARY.encode(), Retry_After="canari"),
    "garbage": f"{CANARY} {TOKEN}\r\n\r\n".encode(),
    "header": http(503, X_Canary="canari"),
    "broken-header": f"HTTP/1.1 503 Busy\r\n: {CANARY}\r\ncanari\r\n\r\n".encode(),
    "nothing": b"",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
@pytest.mark.parametrize("token_in_query", [False, True])
def test_no_failure_shows_the_answer_or_the_token(
    answer: bytes, token_in_query: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        raw_server(once(answer)) as server,
        V1Client(
            base_url=server.url,
            token=SecretStr(TOKEN),
            max_bytes=50_000,
            token_in_query=token_in_query,
        ) as client,
        pytest.raises(TpsFailure) as caught,
    ):
        client.read(FORM, NUMBER, ())
    assert clean(caught.value, caplog)
    assert clean(pickle.loads(pickle.dumps(caught.value)), caplog)  # noqa: S301 (our own)


@pytest.mark.parametrize(
    "fault", [FaultKind.RESET, FaultKind.HANG, FaultKind.DRIP, Fault(kind=FaultKind.JSON)]
)
@pytest.mark.parametrize("token_in_query", [False, True])
def test_no_time_out_shows_the_token(
    fault: FaultKind | Fault, token_in_query: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    simulator = Simulator(token=TOKEN)
    simulator.open(FORM)
    simulator.fail_all(fault)
    with (
        simulator.serve() as server,
        V1Client(
            base_url=server.url,
            token=lambda: TOKEN,
            read_timeout=0.2,
            total_timeout=0.3,
            token_in_query=token_in_query,
        ) as client,
        pytest.raises(TpsFailure) as caught,
    ):
        client.list_page(FORM.procedure, page=1)
    assert clean(caught.value, caplog)


def test_the_search_itself_finds_a_planted_canary(caplog: pytest.LogCaptureFixture) -> None:
    assert clean(RuntimeError("nothing"), caplog)
    assert not clean(RuntimeError(CANARY), caplog)
    logging.getLogger("planted").warning("%s", TOKEN)
    assert not clean(RuntimeError("nothing"), caplog)


def reading(types: Sequence[PermitType]) -> None:
    with (
        raw_server(once(http(200, whole_answer()))) as server,
        V1Client(base_url=server.url, token=lambda: TOKEN) as client,
    ):
        client.read(FORM, NUMBER, types)


def test_what_interrupts_the_reading_passes_without_the_frames_that_held_the_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(TimeIsUp) as caught:
        reading(Interrupting(TimeIsUp))
    assert clean(caught.value, caplog)
    functions = {frame.f_code.co_name for frame, _ in traceback.walk_tb(caught.value.__traceback__)}
    assert functions.isdisjoint({"facts_of", "reduce", "_reduced", "read_fields"})


@pytest.mark.parametrize("slip", [ZeroDivisionError, KeyError, RecursionError, AttributeError])
def test_a_slip_of_our_own_is_a_malformed_answer_without_its_text(
    slip: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(MalformedResponse) as caught:
        reading(Interrupting(lambda: slip(CANARY)))
    assert caught.value.reason is MalformedReason.UNFORESEEN
    assert clean(caught.value, caplog)
