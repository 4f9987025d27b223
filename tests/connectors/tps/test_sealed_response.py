"""A raw answer can be read by a function and by nothing else."""

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable

import orjson
import pytest

from connectors.tps.sealed_response import SealedResponse, parse
from routing.failures import Cause

CANARY = "Zoé-Ménard-canari"


@pytest.fixture
def answer() -> SealedResponse:
    parsed = parse(json.dumps({"dossier": {"nom": CANARY}}).encode())
    assert isinstance(parsed, SealedResponse)
    return parsed


def test_a_reader_gets_the_content(answer: SealedResponse) -> None:
    assert answer.reduce(lambda content: content) == {"dossier": {"nom": CANARY}}


def test_it_shows_its_kind_and_size_only(
    answer: SealedResponse, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("test").warning("%s %r", answer, [answer])
    shown = f"{answer} {answer!r} {answer!s} {caplog.text}"
    assert CANARY not in shown
    assert repr(answer) == "<SealedResponse: dict, 51 bytes>"


@pytest.mark.parametrize(
    "carry",
    [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, orjson.dumps, vars, dict, list, bytes],
)
def test_it_cannot_be_carried_away(
    answer: SealedResponse, carry: Callable[[object], object]
) -> None:
    with pytest.raises(TypeError) as caught:
        carry(answer)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", Cause.TPS_NOT_JSON),
        (b"<html><body>Maintenance</body></html>", Cause.TPS_NOT_JSON),
        (b'{"dossier": {"id": 1', Cause.TPS_NOT_JSON),
        (b"\x1f\x8b\x08 not text", Cause.TPS_NOT_JSON),
        (b'{"dossier": {"id": NaN}}', Cause.TPS_MALFORMED),
        (b'{"dossier": {"id": 1e999}}', Cause.TPS_MALFORMED),
        (b'{"dossier": "\\ud800"}', Cause.TPS_MALFORMED),
        (b'{"dossier": "\xff"}', Cause.TPS_MALFORMED),
        (b"[" * 100_000 + b"]" * 100_000, Cause.TPS_MALFORMED),
    ],
)
def test_what_is_no_json_is_told_from_what_was_cut(body: bytes, cause: Cause) -> None:
    assert parse(body) is cause
