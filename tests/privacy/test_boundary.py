"""The connector's border: whatever is raised while an answer is in scope shows none of it."""

import copy
import json
import pickle
import subprocess
import sys

import pytest

from connectors.tps.errors import TpsFailure
from connectors.tps.sealed_response import parse
from connectors.tps.v1.client import V1Client
from routing.classification import Answers
from routing.forms import Field
from tests.connectors.tps.samples import PERMIT_TYPES, student_form
from tests.fixtures.processes import ROOT
from tests.fixtures.raw_server import once, raw_server
from tests.privacy.documents import GOOD, LARGEST, Tps
from tests.privacy.exception_dumps import shown
from tests.privacy.interruptions import MOMENTS
from tests.privacy.markers import found

TOKEN = "jeton-zqkanari951"
TPS = Tps()
FORM = student_form(GOOD)
ANSWERS = {TPS.names[number]: number for number in TPS.numbers(GOOD)}


def failing(url: str, number: int, *, token_in_query: bool) -> BaseException | None:
    """What reading a dossier raises; no frame of the caller is in its traceback."""
    limits = {"read_timeout": 0.3, "total_timeout": 2.0, "quick_retries": 0}
    with V1Client(
        base_url=url,
        token=lambda: TOKEN,
        token_in_query=token_in_query,
        max_bytes=LARGEST,
        **limits,  # type: ignore[arg-type]
    ) as client:
        try:
            client.read(FORM, number, PERMIT_TYPES)
        except TpsFailure as error:
            return error
    return None


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("token_in_query", [False, True])
def test_no_failure_shows_anything_of_the_answer(name: str, token_in_query: bool) -> None:
    number = ANSWERS[name]
    answer = TPS.details[number]
    with raw_server(once(answer.data)) as server:
        error = failing(server.url, number, token_in_query=token_in_query)
    assert (error is None) is (name == "whole")
    if error is not None:
        assert found(shown(error)) == set()


def careless(body: bytes) -> None:
    """Raise while an answer is in scope, as any code does."""
    raise ValueError(len(body))


def test_control_an_exception_raised_beside_an_answer_shows_it() -> None:
    with pytest.raises(ValueError, match=r"[0-9]") as caught:
        careless(TPS.document())
    assert found(shown(caught.value))


def test_a_time_limit_at_any_moment_shows_nothing_of_the_answer() -> None:
    """In a process of its own: what is interrupted anywhere may hold a lock for ever."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.privacy.interruptions"],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=True,
    )
    leaks = json.loads(ended.stdout)
    assert len(leaks) == MOMENTS
    assert set(map(tuple, leaks.values())) == {()}


def test_what_holds_answers_shows_its_size_and_goes_nowhere() -> None:
    raw = parse(TPS.document())
    answers = Answers({Field.NATIONALITY: TPS.markers.next()})
    for holder in (raw, answers):
        assert found(f"{holder} {holder!r} {[holder]!r}".encode()) == set()
        for carry in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars):
            with pytest.raises(TypeError) as refused:
                carry(holder)
            assert found(str(refused.value).encode()) == set()
