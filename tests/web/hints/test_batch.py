"""Signed batches: which are believed to be of TPS, and what they hint at."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from store.hints import THE_LIST, Event, Tip
from tests.web.hints.signing import Signed, batch, secret, sign
from web.hints.batch import MOST_EVENTS, UnverifiedBatch, parse
from web.hints.form import MalformedHint

PROCEDURE = 13760
OLD, NEW, OTHER = secret("old"), secret("new"), secret("other")
FILED = batch(PROCEDURE, (3, "dossier_depose", 42))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / str(PROCEDURE)).write_text(f"{NEW}\n{OLD}\n")
    (tmp_path / "14131").write_text(OTHER)
    return tmp_path


def parsed(signed: Signed, folder: Path) -> Tip:
    return parse(signed.body, signed.headers, folder)


def test_events_name_dossiers(folder: Path) -> None:
    document = batch(
        PROCEDURE,
        (9, "dossier_modifie", 43),
        (3, "dossier_depose", 42),
        (11, "dossier_supprime", 44),
        (12, "message_envoye", 45),
        (13, "dossier_accepte", None),
        more="ignored",
    )
    assert parsed(sign(document, NEW), folder) == Tip(
        procedure=PROCEDURE,
        source="webhook:7",
        events=(
            Event(3, 42),
            Event(9, 43),
            Event(11, THE_LIST),
            Event(12, None),
            Event(13, THE_LIST),
        ),
    )


@pytest.mark.parametrize("secrets", [(NEW,), (OLD,), (OLD, NEW), (OTHER, NEW)])
def test_any_secret_of_the_procedure_will_do(secrets: tuple[str, ...], folder: Path) -> None:
    assert parsed(sign(FILED, *secrets), folder).events == (Event(3, 42),)


def test_another_procedures_secret_does_not_sign_for_this_one(folder: Path) -> None:
    with pytest.raises(UnverifiedBatch):
        parsed(sign(FILED, OTHER), folder)


def test_a_changed_body_is_not_verified(folder: Path) -> None:
    signed = sign(FILED, NEW)
    with pytest.raises(UnverifiedBatch):
        parse(signed.body.replace(b"42", b"43"), signed.headers, folder)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_replay_is_refused(minutes: int, folder: Path) -> None:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    with pytest.raises(UnverifiedBatch):
        parsed(sign(FILED, NEW, at=at), folder)
    assert parsed(sign(FILED, NEW, at=at - timedelta(minutes=minutes * 0.5)), folder)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,???"},
        {"webhook-signature": "v2,abcd"},
        {"webhook-signature": "v1,é"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "soon"},
        {"webhook-id": ""},
    ],
)
def test_headers_that_are_none_are_refused(headers: dict[str, str], folder: Path) -> None:
    signed = sign(FILED, NEW)
    with pytest.raises(UnverifiedBatch):
        parse(signed.body, {**signed.headers, **headers} if headers else {}, folder)


@pytest.mark.parametrize("content", [b"", b"\xff", b"no secret", b"whsec_", b"whsec_???"])
def test_a_file_without_a_secret_verifies_nothing(content: bytes, folder: Path) -> None:
    (folder / str(PROCEDURE)).write_bytes(content)
    with pytest.raises(UnverifiedBatch):
        parsed(sign(FILED, NEW), folder)


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        batch(0, (1, "dossier_depose", 1)),
        batch(2**31, (1, "dossier_depose", 1)),
        batch(PROCEDURE, (-1, "dossier_depose", 1)),
        batch(PROCEDURE, (1, "dossier_depose", -1)),
        batch(PROCEDURE, (1, "dossier_depose", 2**63)),
        batch(PROCEDURE, (1, "x" * 65, 1)),
        batch(PROCEDURE, (1, "dossier_depose", 1), webhook="../7"),
        batch(PROCEDURE, (1, "dossier_depose", 1), webhook="x" * 49),
        batch(PROCEDURE, (1, "dossier_depose", 1), webhook=10**60),
        batch(PROCEDURE, (1, "dossier_depose", 1), webhook=-1),
        batch(PROCEDURE, *[(number, "dossier_depose", 1) for number in range(MOST_EVENTS + 1)]),
    ],
)
def test_what_is_no_batch_is_malformed(document: Any, folder: Path) -> None:  # noqa: ANN401
    with pytest.raises(MalformedHint):
        parsed(sign(document, NEW), folder)
